import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import {
  type CharacterRecord,
  CharacterRecordSchema,
  EditRecordSchema,
  PlacesRecordSchema,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { ValueSchema, VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Store } from "../../server/store/store.ts";
import type { StoreUnderTest } from "./store-contract.ts";
import {
  MOMENT,
  account,
  character,
  edit,
  object,
  otherRegistry,
  regionComponent,
  registry,
  textComponent,
  vectorComponent,
} from "./store-samples.ts";

async function createAda(store: Store): Promise<CharacterRecord> {
  return (await store.createAccount(account("Ada"), character("Ada"))).character;
}

const types = (components: readonly { typeUrl: string }[] | undefined) =>
  components?.map(({ typeUrl }) => typeUrl.split(".").at(-1)).toSorted();

/** Rules of saves, objects and edits. */
export function describeWorld(current: () => StoreUnderTest): void {
  test("a save replaces zone, position and components, and nothing else", async () => {
    const { store, reopen } = current();
    const ada = await createAda(store);
    const saved: CharacterRecord = {
      ...ada,
      name: "Mallory",
      accountId: 77,
      zone: "forest",
      position: create(VectorSchema, { x: 1e-7, y: -123456.75, z: 2 }),
      components: [vectorComponent(0.1)],
    };
    await store.save({ characters: [saved], objects: [] });
    expect(await (await reopen()).findCharacter("Ada")).toEqual({
      ...saved,
      name: "Ada",
      accountId: ada.accountId,
    });
  });

  test("a save may take the position away", async () => {
    const { store } = current();
    const ada = await createAda(store);
    const nowhere = create(CharacterRecordSchema, { id: ada.id, zone: "town" });
    await store.save({ characters: [nowhere], objects: [] });
    expect(await store.findCharacter("Ada")).toMatchObject({ components: [] });
    expect((await store.findCharacter("Ada"))?.position).toBeUndefined();
  });

  test("ids that no longer exist are passed over; of two saves of one the later counts", async () => {
    const { store } = current();
    const ada = await createAda(store);
    const at = (id: number, zone: string) => create(CharacterRecordSchema, { id, zone });
    await store.save({
      characters: [at(ada.id, "one"), at(4_000_000_000, "nowhere"), at(ada.id, "two")],
      objects: [object("town", "door", [vectorComponent(1)]), object("town", "door", [])],
    });
    expect((await store.findCharacter("Ada"))?.zone).toBe("two");
    expect((await store.listObjects("town"))[0]?.components).toEqual([]);
    await store.save({ characters: [], objects: [] });
  });

  test("a batch larger than one statement is stored whole", async () => {
    const { store } = current();
    const objects = Array.from({ length: 2500 }, (_, i) =>
      object("big", `thing-${String(i).padStart(4, "0")}`, [vectorComponent(i)]),
    );
    await store.save({ characters: [], objects });
    expect(await store.listObjects("big")).toEqual(objects);
  });

  test("batches of the same rows at once wait for each other without harm", async () => {
    const { store } = current();
    const objects = (from: number) =>
      Array.from({ length: 50 }, (_, i) => object("town", `thing-${i}`, [vectorComponent(from)]));
    const ada = await createAda(store);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.save({
          characters: [{ ...ada, zone: `zone-${i}` }],
          objects: i % 2 ? objects(i) : objects(i).toReversed(),
        }),
      ),
    );
    expect(await store.listObjects("town")).toHaveLength(50);
  });

  test("places count for characters that were saved before them, once they are settled", async () => {
    const { store } = current();
    const ada = await createAda(store);
    const bob = (await store.createAccount(account("Bob"), character("Bob"))).character;
    const where = async (name: string) => {
      const { zone, position } = (await store.findCharacter(name)) ?? {};
      return { zone, x: position?.x, y: position?.y };
    };
    const town = { zone: "town", ids: [ada.id, bob.id, 4_000], xs: [1e-7, 20, 1], ys: [3, 4, 1] };
    await store.save({ characters: [], objects: [], places: [create(PlacesRecordSchema, town)] });
    expect(await where("Ada")).toEqual({ zone: "town", x: 1.5, y: -2.25 });

    await store.settlePlaces("forest");
    expect(await where("Ada"), "those of another zone").toEqual({ zone: "town", x: 1.5, y: -2.25 });

    const position = create(VectorSchema, { x: 7, y: 8 });
    await store.save({ characters: [{ ...bob, zone: "forest", position }], objects: [] });
    await store.settlePlaces("town");
    expect(await where("Ada")).toEqual({ zone: "town", x: 1e-7, y: 3 });
    expect(await where("Bob"), "who was saved after them").toEqual({ zone: "forest", x: 7, y: 8 });
    expect((await store.findCharacter("Ada"))?.components).toEqual(ada.components);

    const forest = { zone: "forest", ids: [ada.id], xs: [5], ys: [6] };
    const both = [create(PlacesRecordSchema, town), create(PlacesRecordSchema, forest)];
    await store.save({ characters: [bob], objects: [], places: both });
    await store.settlePlaces("town");
    await store.settlePlaces("forest");
    expect(await where("Ada"), "the newer of two").toEqual({ zone: "forest", x: 5, y: 6 });
    expect(await where("Bob"), "who was saved along with them").toMatchObject({ x: 1.5, y: -2.25 });

    const nobody = create(PlacesRecordSchema, { zone: "forest" });
    await store.save({ characters: [], objects: [], places: [nobody] });
    await store.settlePlaces("forest");
    expect(await where("Ada")).toEqual({ zone: "forest", x: 5, y: 6 });
  });

  test("a store that starts settles all places", async () => {
    const { store, reopen } = current();
    const ada = await createAda(store);
    const bob = (await store.createAccount(account("Bob"), character("Bob"))).character;
    const places = [
      create(PlacesRecordSchema, { zone: "town", ids: [ada.id], xs: [10], ys: [11] }),
      create(PlacesRecordSchema, { zone: "forest", ids: [bob.id], xs: [12], ys: [13] }),
    ];
    await store.save({ characters: [], objects: [], places });
    const again = await reopen();
    const at = async (name: string) => (await again.findCharacter(name)) ?? {};
    expect(await at("Ada")).toMatchObject({ zone: "town", position: { x: 10, y: 11, z: 0 } });
    expect(await at("Bob")).toMatchObject({ zone: "forest", position: { x: 12, y: 13, z: 0 } });
  });

  test("components of types that the game does not have are kept", async () => {
    const { store, reopen } = current();
    const ada = await createAda(store);
    await store.save({ characters: [], objects: [object("town", "door", ada.components)] });

    const other = await reopen({ registry: otherRegistry });
    const seen = await other.findCharacter("Ada");
    expect(types(seen?.components)).toEqual(["Value"]);
    const components = [regionComponent(7)];
    await other.save({
      characters: [{ ...ada, components }],
      objects: [object("town", "door", components)],
    });

    const again = await reopen({ registry });
    expect(types((await again.findCharacter("Ada"))?.components)).toEqual(["Vector"]);
    expect(types((await again.listObjects("town"))[0]?.components)).toEqual(["Vector"]);
    const both = await reopen({ registry: otherRegistry });
    expect(types((await both.findCharacter("Ada"))?.components)).toEqual(["Region"]);
  });

  test("a component that the registry lacks is refused loudly", async () => {
    const { store } = current();
    const ada = await createAda(store);
    const components = [regionComponent(1)];
    await expect(store.save({ characters: [{ ...ada, components }], objects: [] })).rejects.toThrow(
      "realmwire.v1.Region",
    );
  });

  test("texts of every kind survive; what a database cannot hold spoils no batch", async () => {
    const { store } = current();
    const odd = `'; drop table characters; -- \\ \\u0000 "?" $1 é 日本 🙂`;
    const objects = [odd, "a\0b", "\\u0000 as text", "\\"].map((text, i) =>
      object("town", `${i} ${odd}`, [textComponent(text)]),
    );
    await store.save({ characters: [], objects });
    const texts = (await store.listObjects("town")).map(({ components: [component] }) => {
      const value = component && anyUnpack(component, ValueSchema);
      return value?.kind.value;
    });
    expect(texts).toEqual([odd, "a\ufffdb", "\\u0000 as text", "\\"]);
    await store.deleteObject("town", `0 ${odd}`);
    expect(await store.listObjects("town")).toHaveLength(3);
  });

  test("objects belong to their zone", async () => {
    const { store } = current();
    const door = (zone: string) => object(zone, "door", [vectorComponent(1)]);
    await store.save({ characters: [], objects: [door("town"), door("forest")] });
    await store.deleteObject("town", "door");
    await store.deleteObject("town", "door");
    expect(await store.listObjects("town")).toEqual([]);
    expect(await store.listObjects("forest")).toEqual([door("forest")]);
  });

  test("edits come back by revision, byte for byte", async () => {
    const { store, reopen } = current();
    for (const revision of [1, 3, 2]) await store.appendEdit(edit("town", revision));
    await store.appendEdit(edit("forest", 1));
    const reopened = await reopen();
    expect(await reopened.listEdits("town")).toEqual([1, 2, 3].map((r) => edit("town", r)));
    expect(await reopened.listEdits("void")).toEqual([]);
  });

  test("an edit forgets what is stored of the objects that it puts or takes away, and of no others", async () => {
    const { store, reopen } = current();
    const names = ["put", "taken", "kept"];
    const objects = ["town", "forest"].flatMap((zone) =>
      names.map((name) => object(zone, name, [vectorComponent(1)])),
    );
    await store.save({ characters: [], objects });
    const change = create(EditRecordSchema, {
      zone: "town",
      revision: 1,
      commands: [
        { kind: { case: "putObject", value: { name: "put", kind: "well" } } },
        { kind: { case: "removeObject", value: "taken" } },
        { kind: { case: "removeSpawn", value: "kept" } },
      ],
      time: MOMENT,
    });
    await store.appendEdit(change);
    const reopened = await reopen();
    expect((await reopened.listObjects("town")).map(({ name }) => name)).toEqual(["kept"]);
    expect(await reopened.listObjects("forest")).toHaveLength(3);

    await reopened.save({ characters: [], objects });
    await expect(reopened.appendEdit(change)).rejects.toThrow();
    expect(await reopened.listObjects("town"), "a refused edit forgets nothing").toHaveLength(3);
  });

  test("of edits with one revision at once, one is stored, and the others hear the present one", async () => {
    const { store } = current();
    await store.appendEdit(edit("town", 1));
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.appendEdit(edit("town", 2))),
    );
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(19);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({
        reason: ErrorReason.REVISION_CONFLICT,
        details: { metadata: { revision: "2" } },
      });
    }
    expect(await store.listEdits("town")).toHaveLength(2);
  });
}
