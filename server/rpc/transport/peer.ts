import { type BlockList, isIP } from "node:net";
import { isListed } from "../../addresses.ts";

/**
 * The address that a call comes from. Proxies append the address that they were called from to `x-forwarded-for`: it is read from its end for
 * as long as those who wrote it are trusted, so what a caller wrote there itself is never believed. Without `trusted`, or from
 * anybody else, the header says nothing.
 */
export function peerOf(
  remoteAddress: string | undefined,
  forwardedFor: string | readonly string[] | undefined,
  trusted: BlockList | undefined,
): string {
  let peer = remoteAddress ?? "unknown";
  if (trusted === undefined || forwardedFor === undefined) return peer;
  const list = typeof forwardedFor === "string" ? forwardedFor : forwardedFor.join(",");
  for (const entry of list.split(",").toReversed()) {
    if (!isListed(trusted, peer)) return peer;
    const address = withoutPort(entry.trim());
    // What is no address says nothing of who called: then it is the proxy that wrote it.
    if (isIP(address) === 0) return peer;
    peer = address;
  }
  return peer;
}

// Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
function withoutPort(address: string): string {
  return address.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1");
}
