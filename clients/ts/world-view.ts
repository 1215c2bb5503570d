import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Flag } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Event, Scene, UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createBaselines } from "./baselines.ts";
import { createUnpack } from "./components.ts";
import { createEmitter, reportToConsole } from "./emitter.ts";
import type { ListenerErrorHandler, Unsubscribe } from "./emitter.ts";
import { createEntityTable } from "./entity-table.ts";
import type { EntityChanges, WorldEntity } from "./entity.ts";

/** Something that happened once; a custom event is decoded when its type is known to the view. */
export type WorldEvent =
  | Exclude<Event["kind"], { case: undefined } | { case: "custom" }>
  | { case: "custom"; value: Message };

/** Something that the caller has to know: a changed map, a newer client, a server that stops, and so on. */
export type WorldFlag = Exclude<Flag["kind"], { case: undefined }>;

/**
 * What is around the caller's character. Listeners are called when a message has been applied as a whole,
 * in the order: removed, scene, added, changed, events, flags, update.
 */
export interface WorldView {
  /** Undefined until the first message. */
  readonly scene: Scene | undefined;
  /** The tick of the newest message, which all positions are of. */
  readonly tick: number;
  /** By id. */
  readonly entities: ReadonlyMap<number, WorldEntity>;
  /** The caller's own character. */
  readonly self: WorldEntity | undefined;
  /** The `sequence` of the last Move that the view includes. */
  readonly acknowledged: number;
  /** How often a message spoke of an entity that is not in view, or could not be read. Such parts are passed over. */
  readonly problems: number;
  /** The entity of this name. */
  named(name: string): WorldEntity | undefined;

  onScene(listener: (scene: Scene) => void): Unsubscribe;
  onAdd(listener: (entity: WorldEntity) => void): Unsubscribe;
  /** An entity that has a velocity changes its position with every message, whether that speaks of it or not. */
  onChange(listener: (entity: WorldEntity, changes: EntityChanges) => void): Unsubscribe;
  onRemove(listener: (entity: WorldEntity) => void): Unsubscribe;
  onEvent(listener: (event: WorldEvent) => void): Unsubscribe;
  onFlag(listener: (flag: WorldFlag) => void): Unsubscribe;
  /** Called after all others, once for each message. Its entities have what their baselines hold. */
  onUpdate(listener: (response: UpdateResponse) => void): Unsubscribe;

  /** Applies the next message of the stream. Never throws. */
  apply(response: UpdateResponse): void;
}

/** What a view is made with. */
export interface WorldViewOptions {
  /** Types of the game's components and events, to have them decoded as they arrive. */
  readonly components?: readonly DescMessage[];
  /** Where errors of listeners go. Default: the console. */
  readonly onListenerError?: ListenerErrorHandler;
}

/** Creates a view that is still empty. It does nothing by itself: {@link WorldView.apply} feeds it. */
export function createWorldView(options: WorldViewOptions = {}): WorldView {
  const unpack = createUnpack(options.components ?? []);
  const emitters = createEmitters(options.onListenerError ?? reportToConsole);
  let problems = 0;
  const countProblem = (): void => void problems++;
  const table = createEntityTable(unpack, countProblem);
  const { entities } = table;
  const baselines = createBaselines();
  let scene: Scene | undefined;
  let tick = 0;
  let acknowledged = 0;

  const apply = (response: UpdateResponse): void => {
    problems += baselines.complete(response);
    // Ids count anew in another zone, and in a zone that began again.
    const isSameRun = scene?.zone === response.scene?.zone && response.tick >= tick;
    const batch = table.apply(response, isSameRun);
    scene = response.scene ?? scene;
    tick = response.tick;
    if (response.scene || response.acknowledged > 0) acknowledged = response.acknowledged;

    for (const entity of batch.removed) emitters.remove.emit(entity);
    if (response.scene) emitters.scene.emit(response.scene);
    for (const entity of batch.added) emitters.add.emit(entity);
    for (const [entity, changes] of batch.changed) emitters.change.emit(entity, changes);
    for (const event of readEvents(response)) emitters.event.emit(event);
    for (const { kind } of response.flags) if (kind.case) emitters.flag.emit(kind);
    emitters.update.emit(response);
  };

  const readEvents = (response: UpdateResponse): WorldEvent[] =>
    response.events.flatMap(({ kind }): WorldEvent[] => {
      if (kind.case === undefined) return [];
      if (kind.case !== "custom") return [kind];
      return [{ case: "custom", value: unpack(kind.value, countProblem) }];
    });

  return {
    get scene() {
      return scene;
    },
    get tick() {
      return tick;
    },
    entities,
    get self() {
      return scene && entities.get(scene.selfId);
    },
    get acknowledged() {
      return acknowledged;
    },
    get problems() {
      return problems;
    },
    named: (name) => [...entities.values()].find((entity) => entity.name === name),
    onScene: emitters.scene.on,
    onAdd: emitters.add.on,
    onChange: emitters.change.on,
    onRemove: emitters.remove.on,
    onEvent: emitters.event.on,
    onFlag: emitters.flag.on,
    onUpdate: emitters.update.on,
    apply,
  };
}

function createEmitters(report: ListenerErrorHandler) {
  return {
    scene: createEmitter<[Scene]>(report),
    add: createEmitter<[WorldEntity]>(report),
    change: createEmitter<[WorldEntity, EntityChanges]>(report),
    remove: createEmitter<[WorldEntity]>(report),
    event: createEmitter<[WorldEvent]>(report),
    flag: createEmitter<[WorldFlag]>(report),
    update: createEmitter<[UpdateResponse]>(report),
  };
}
