import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { Leak, Reader } from "../../support/leak-finder.ts";
import { freshName } from "../../support/player.ts";
import type { Protocol, TestServer } from "../../support/server.ts";
import { command, valueOf } from "../../support/values.ts";
import { spyOn } from "./readers.ts";
import type { Findings, SpiedReader } from "./readers.ts";

/** Chests that stand about, at most. */
export const CHESTS = 3;

/** Who reads: every role, and every protocol. */
export const READERS: readonly { readonly role: Reader["role"]; readonly protocol: Protocol }[] = [
  { role: "player", protocol: "connect" },
  { role: "player", protocol: "grpc" },
  { role: "builder", protocol: "grpc-web" },
  { role: "admin", protocol: "connect" },
];

/** Readers in a world with things that belong to one or another of them. */
export interface LeakWorld {
  readonly readers: readonly SpiedReader[];
  readonly builder: SpiedReader;
  /** The reader at a place of {@link READERS}. */
  reader(index: number): SpiedReader;
  /** The name of a reader's character, or behind those of a chest. */
  nameOf(target: number): string;
  /** A Set whose answer is looked through too. */
  set(by: SpiedReader, name: string, attribute: string, value: Value): Promise<void>;
  /** An admin puts a chest, instead of the one that stood there in its stead. Its name comes back. */
  put(
    slot: number,
    kind: string,
    owner: string,
    attributes: Readonly<Record<string, Value>>,
  ): Promise<string>;
  /** What was found since it was last asked. */
  takeLeaks(): Leak[];
  /** By the type of the message: fields that were looked at so far. */
  readonly judged: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Lets readers of every role into the world of a server. */
export async function openLeakWorld(server: TestServer): Promise<LeakWorld> {
  const findings: Findings = { leaks: [], judged: new Map() };
  const owners = new Map<string, string>();
  const names = new Set<string>();
  const facts = {
    isCharacter: (name: string) => names.has(name),
    ownerOf: (name: string) => owners.get(name) ?? "",
  };
  const readers: SpiedReader[] = [];
  for (const { role, protocol } of READERS) {
    const reader = await spyOn(server, role, protocol, facts, findings);
    names.add(reader.name);
    readers.push(reader);
  }
  const chests = Array.from({ length: CHESTS }, () => "");
  const reader = (index: number) => {
    const found = readers[index];
    if (!found) throw new RangeError(`there is no reader ${index}`);
    return found;
  };
  const [builder, admin] = [reader(2), reader(3)];

  return {
    readers,
    builder,
    reader,
    nameOf: (target) => readers[target]?.name ?? chests[target - READERS.length] ?? "",
    async set(by, name, attribute, value) {
      await by.world.set({ name, attribute, change: { case: "value", value } });
      if (attribute === "body.owner" && typeof value.kind.value === "string") {
        owners.set(name, value.kind.value);
      }
    },
    async put(slot, kind, owner, attributes) {
      const old = chests[slot];
      if (old) {
        chests[slot] = "";
        await admin.world.edit({ commands: [command({ case: "removeObject", value: old })] });
      }
      const name = freshName("chest-");
      const { attributes: own } = await admin.world.get({ attributes: ["position"] });
      const place = own["position"]?.kind;
      if (place?.case !== "vectorValue") throw new Error("the admin is nowhere");
      const all = { ...attributes, "body.owner": valueOf(owner) };
      const object = { name, kind, position: place.value, attributes: all };
      await admin.world.edit({ commands: [command({ case: "putObject", value: object })] });
      owners.set(name, owner);
      chests[slot] = name;
      return name;
    },
    takeLeaks: () => findings.leaks.splice(0),
    judged: findings.judged,
    async close() {
      for (const { unwatch } of readers) await unwatch();
    },
  };
}
