/**
 * The address that a call comes from. Behind `trustedProxies` proxies, each of which appends the address
 * it was called from to `x-forwarded-for`, it is the one that the first of them saw; what a caller wrote
 * there itself is never believed.
 */
export function peerOf(
  remoteAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  trustedProxies: number,
): string {
  const direct = remoteAddress ?? "unknown";
  if (trustedProxies <= 0 || forwardedFor === undefined) return direct;
  const list = typeof forwardedFor === "string" ? forwardedFor : forwardedFor.join(",");
  const addresses = list.split(",");
  // Fewer addresses than proxies: the first of them is the furthest that a proxy vouches for.
  const address = addresses[Math.max(0, addresses.length - trustedProxies)]?.trim();
  return address ? withoutPort(address) : direct;
}

// Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
function withoutPort(address: string): string {
  return address.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1");
}

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
