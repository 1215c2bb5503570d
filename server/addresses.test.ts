import { expect, test } from "vitest";
import { isListed, limitKeyOf, parseAddresses } from "./addresses.ts";

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

test("a list has addresses and networks, of either kind", () => {
  const list = parseAddresses(["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1"]);
  const inside = ["192.0.2.7", "10.255.0.1", "2001:db8:1::1", "::1", "::ffff:10.1.2.3"];
  expect(inside.filter((address) => !isListed(list, address))).toEqual([]);
  const outside = ["192.0.2.8", "11.0.0.1", "2001:db9::1", "::2", "unknown", "", "10.0.0.1:80"];
  expect(outside.filter((address) => isListed(list, address))).toEqual([]);
});

test("what is neither is named", () => {
  for (const wrong of ["example.org", "10.0.0.0/33", "::/129", "10.0.0", "1.2.3.4/", "/8"]) {
    expect(() => parseAddresses(["10.0.0.1", wrong]), wrong).toThrow(`"${wrong}" is no address`);
  }
});
