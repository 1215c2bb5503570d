import { expect, test } from "vitest";
import { parseAddresses } from "../../addresses.ts";
import { peerOf } from "./peer.ts";

const TRUSTED = parseAddresses(["10.0.0.0/8", "2001:db8:ff::/48"]);

test("without a proxy, what a caller writes about itself counts for nothing", () => {
  expect(peerOf("192.0.2.7", "203.0.113.1", undefined)).toBe("192.0.2.7");
  expect(peerOf("192.0.2.7", "203.0.113.1", TRUSTED)).toBe("192.0.2.7");
  expect(peerOf("192.0.2.7", "10.0.0.1", TRUSTED)).toBe("192.0.2.7");
  expect(peerOf(undefined, undefined, undefined)).toBe("unknown");
  expect(peerOf(undefined, "203.0.113.1", TRUSTED)).toBe("unknown");
});

test("behind proxies it is the last address that none of them has", () => {
  const forged = "6.6.6.6, 203.0.113.1, 10.0.0.4";
  expect(peerOf("10.0.0.1", "6.6.6.6, 203.0.113.1", TRUSTED)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", forged, TRUSTED)).toBe("203.0.113.1");
  expect(peerOf("::ffff:10.0.0.1", forged, TRUSTED)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", ["6.6.6.6", "203.0.113.1, 10.0.0.4"], TRUSTED)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", "2001:db8::9, 2001:db8:ff::1", TRUSTED)).toBe("2001:db8::9");
  // Proxies among themselves.
  expect(peerOf("10.0.0.1", "10.0.0.3, 10.0.0.2", TRUSTED)).toBe("10.0.0.3");
  expect(peerOf("10.0.0.1", undefined, TRUSTED)).toBe("10.0.0.1");
});

test("what is no address is believed of nobody", () => {
  for (const nonsense of [" ", "unknown", "203.0.113.1, _hidden", "203.0.113.1,,"]) {
    expect(peerOf("10.0.0.1", nonsense, TRUSTED), nonsense).toBe("10.0.0.1");
  }
  expect(peerOf("10.0.0.1", "nobody, 203.0.113.1", TRUSTED)).toBe("203.0.113.1");
});

test("ports are left out", () => {
  expect(peerOf("10.0.0.1", "203.0.113.1:4711", TRUSTED)).toBe("203.0.113.1");
  expect(peerOf("10.0.0.1", "[2001:db8::1]:4711", TRUSTED)).toBe("2001:db8::1");
  expect(peerOf("10.0.0.1", "2001:db8::1", TRUSTED)).toBe("2001:db8::1");
});
