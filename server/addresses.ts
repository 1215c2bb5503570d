import { BlockList, isIP } from "node:net";

/**
 * Whom a limit on an address counts: an IPv4 address, or the first 64 bits of an IPv6 one, since
 * every holder of such a network has all the rest of it to choose from.
 */
export function limitKeyOf(peer: string): string {
  if (!peer.includes(":")) return peer;
  const dotted = peer.lastIndexOf(":") + 1;
  if (peer.includes(".", dotted)) return peer.slice(dotted);
  const [head = "", tail] = peer.split("%", 1)[0]!.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? 0 : tail.split(":").length;
    while (groups.length + after < 8) groups.push("0");
  }
  return groups.slice(0, 4).join(":");
}

/**
 * A list of addresses and networks, such as `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`. Throws an `Error` that names what is
 * neither.
 */
export function parseAddresses(items: readonly string[]): BlockList {
  const list = new BlockList();
  for (const item of items) {
    const [, address = "", prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(item) ?? [];
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    if (version === 0 || Number(prefix ?? 0) > bits) {
      throw new Error(`"${item}" is no address and no network such as 10.0.0.0/8`);
    }
    list.addSubnet(address, Number(prefix ?? bits), version === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** Whether a list has an address. An IPv4 address is the same when it is written as an IPv6 one. */
export function isListed(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6");
}
