import { expect, test } from "vitest";
import { limitKeyOf, peerOf } from "./peer.ts";

test("without a proxy, what a caller writes about itself counts for nothing", () => {
  expect(peerOf("192.0.2.7", "203.0.113.1", 0)).toBe("192.0.2.7");
  expect(peerOf(undefined, undefined, 0)).toBe("unknown");
});

test("behind proxies it is the address that the first of them saw", () => {
  const forged = "6.6.6.6, 203.0.113.1, 198.51.100.4";
  expect(peerOf("10.0.0.1", forged, 1)).toBe("198.51.100.4");
  expect(peerOf("10.0.0.1", forged, 2)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", ["6.6.6.6", "203.0.113.1"], 1)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", "203.0.113.1", 5)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", undefined, 1)).toBe("10.0.0.1");
  expect(peerOf("10.0.0.1", " ", 1)).toBe("10.0.0.1");
});

test("ports are left out", () => {
  expect(peerOf("10.0.0.1", "203.0.113.1:4711", 1)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", "[2001:db8::1]:4711", 1)).toBe("2001:db8::1");
  expect(peerOf("10.0.0.1", "2001:db8::1", 1)).toBe("2001:db8::1");
});

test("a limit counts an IPv4 address, or the network of an IPv6 one", () => {
  expect(limitKeyOf("192.0.2.7")).toBe("192.0.2.7");
  expect(limitKeyOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  const network = limitKeyOf("2001:db8:1:2:3:4:5:6");
  expect(limitKeyOf("2001:db8:1:2::1")).toBe(network);
  expect(limitKeyOf("2001:db8:1:2:ffff::")).toBe(network);
  expect(limitKeyOf("2001:db8:1:3::1")).not.toBe(network);
  expect(limitKeyOf("2001:db8::1")).toBe("2001:db8:0:0");
  expect(limitKeyOf("::1")).toBe("0:0:0:0");
  expect(limitKeyOf("fe80::1%eth0")).toBe(limitKeyOf("fe80::2"));
});
