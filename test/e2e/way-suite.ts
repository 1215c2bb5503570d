import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { nameOf } from "../support/any-call.ts";
import type { CountedWay, Way } from "../support/counted-way.ts";
import { type Protocol, PROTOCOLS } from "../support/server.ts";

/** Streams that are no views of the world: the short way leaves them to the adapter. */
const LEFT_TO_ADAPTER: ReadonlySet<string> = new Set([
  ...["AdminService/Backup", "AdminService/RecordZone", "WorldService/Upgrade"],
]);

/** What clients that know the schema send. */
const PROTOCOL_OF: Readonly<Record<string, Protocol>> = {
  "application/proto": "connect",
  "application/connect+proto": "connect",
  "application/grpc": "grpc",
  "application/grpc+proto": "grpc",
  "application/grpc-web+proto": "grpc-web",
};

/** Which way calls took. To be run after every call of these services was made over every protocol. */
export function describeWay(
  counted: () => CountedWay,
  { way, services }: { readonly way: Way; readonly services: readonly DescService[] },
): void {
  test(`calls took the way of this server: ${way}`, () => {
    const calls = services.flatMap(({ methods }) => methods);
    const isAdapted = (call: string) => way === "adapter" || LEFT_TO_ADAPTER.has(call);
    expect(calls.map((call) => [nameOf(call), adaptedProtocols(counted(), call)])).toEqual(
      calls.map((call) => [nameOf(call), isAdapted(nameOf(call)) ? PROTOCOLS : []]),
    );
  });
}

/** The protocols over which the adapter answered a call. JSON is always its business. */
function adaptedProtocols({ adapted }: CountedWay, { parent, name }: DescMethod): Protocol[] {
  const types = adapted.get(`/${parent.typeName}/${name}`) ?? new Set();
  const found = new Set([...types].map((type) => PROTOCOL_OF[type]));
  return PROTOCOLS.filter((protocol) => found.has(protocol));
}
