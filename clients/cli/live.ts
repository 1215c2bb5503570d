import { createInterpolator, createSystemClock } from "../ts/index.ts";
import type { Realmwire, World, WorldEntity } from "../ts/index.ts";
import { directionOfKey } from "./map/directions.ts";
import { Interrupted } from "./errors.ts";
import { composeFrame } from "./terminal/frame.ts";
import { createKeyWalk } from "./map/key-walk.ts";
import type { Key, Keyboard } from "./terminal/keyboard.ts";
import { sizeOf } from "./terminal/layout.ts";
import { renderLine } from "./terminal/line.ts";
import type { Line } from "./terminal/line.ts";
import type { LineEditor } from "./terminal/line-editor.ts";
import { tokensOf } from "./map/map-drawing.ts";
import type { MessagePane } from "./terminal/message-pane.ts";
import { troubleLine } from "./language/messages.ts";
import type { Paint } from "./terminal/paint.ts";
import { refusalText } from "./language/refusals.ts";
import { createScreen } from "./terminal/screen.ts";
import type { Surroundings } from "./map/surroundings.ts";
import { formatPlace } from "./language/values.ts";

/** The screen is painted at most once in so many milliseconds, and not at all while nothing changes. */
const FRAME_MS = 100;

/** What the live map is made with. */
export interface LiveOptions {
  readonly client: Pick<Realmwire, "move" | "session">;
  readonly world: World;
  readonly surroundings: Surroundings;
  readonly keyboard: Keyboard;
  readonly editor: LineEditor;
  readonly output: NodeJS.WriteStream;
  readonly paint: Paint;
  readonly messages: MessagePane;
  /** Runs a command that was typed. Never rejects. */
  readonly run: (typed: string) => Promise<void>;
}

/** The live map, which is shown until it is left. */
export interface Live {
  /** Resolves when the user leaves, or the world is closed; rejects with {@link Interrupted} on Ctrl-C. The terminal is as before then. */
  show(): Promise<void>;
  /** Leaves, as Escape does. */
  leave(): void;
  /** To be called when something besides the world changed. */
  change(): void;
}

/** Creates a live map. */
export function createLive(options: LiveOptions): Live {
  const { client, world, surroundings, keyboard, editor, output, paint, messages } = options;
  const { view } = world;
  const clock = createSystemClock();
  const screen = createScreen(output);
  const tell = (line: Line): void => {
    messages.add([line]);
    change();
  };
  const walk = createKeyWalk({
    mover: client.move,
    now: clock.now,
    after: clock.after,
    onRefused: (refusal) => tell(troubleLine(refusalText(refusal), new Date())),
    onError: (error) =>
      tell(troubleLine(error instanceof Error ? error.message : String(error), new Date())),
  });
  let isShown = false;
  let isTyping = false;
  let isChanged = true;
  let leave = (): void => {};
  let interrupt = (): void => {};

  const change = (): void => void (isChanged = true);

  const draw = (positionOf: (entity: WorldEntity) => { x: number; y: number }): void => {
    const { self } = view;
    const { columns, rows } = sizeOf(output);
    const content = {
      status: statusOf(client, world),
      picture: {
        terrain: surroundings.terrainSoon(view, change),
        tokens: tokensOf(
          view.entities.values(),
          self,
          (entity) => surroundings.glyphs.of(entity, self),
          positionOf,
        ),
        center: self ? positionOf(self) : { x: 0, y: 0 },
      },
      messages,
      typed: isTyping ? editor.typed : undefined,
    };
    const { lines, cursor } = composeFrame(content, columns, rows);
    screen.show(
      lines.map((line) => renderLine(line, paint)),
      cursor,
    );
  };

  const type = async (begin: string): Promise<void> => {
    walk.stop();
    stopListening();
    isTyping = true;
    change();
    try {
      const typed = await editor.readUnseen(begin, change);
      if (typed?.trim()) await options.run(typed);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      interrupt();
    } finally {
      isTyping = false;
      change();
      if (isShown) stopListening = keyboard.listen(onKey);
    }
  };

  const onKey = (key: Key): void => {
    const { name = "", sequence = "", ctrl = false } = key;
    if (ctrl) return name === "c" ? interrupt() : name === "d" ? leave() : undefined;
    const direction = directionOfKey(name.toLowerCase());
    if (direction) return walk.press(direction);
    if (name === "escape" || name === "q") return leave();
    if (name === "return" || name === "enter" || sequence === "/" || sequence === ":") {
      return void type("");
    }
    if (name === "t") return void type("say ");
    if (name === "pageup") messages.scroll(1);
    if (name === "pagedown") messages.scroll(-1);
    change();
  };
  let stopListening = (): void => {};

  return {
    async show() {
      const smooth = createInterpolator({ view, clock: world.clock });
      const positionOf = (entity: WorldEntity) => smooth.position(entity.id) ?? entity.position;
      const onResize = (): void => {
        screen.forget();
        change();
      };
      let wasMoving = false;
      const timer = setInterval(() => {
        const isMoving = [...view.entities.values()].some(moves);
        // One more after the last one that moved, for what is drawn lies two ticks behind.
        if (!isChanged && !isMoving && !wasMoving) return;
        wasMoving = isMoving;
        isChanged = false;
        draw(positionOf);
      }, FRAME_MS);
      const unsubscribe = [view.onUpdate(change), world.onState(change)];
      // However the program ends, the terminal is given back.
      process.on("exit", screen.close);
      output.on("resize", onResize);
      stopListening = keyboard.listen(onKey);
      screen.open();
      isShown = true;
      try {
        await new Promise<void>((resolve, reject) => {
          leave = resolve;
          interrupt = () => reject(new Interrupted("interrupted"));
          unsubscribe.push(world.onState(({ kind }) => kind === "closed" && resolve()));
        });
      } finally {
        isShown = false;
        walk.stop();
        stopListening();
        clearInterval(timer);
        for (const one of unsubscribe) one();
        smooth.close();
        output.off("resize", onResize);
        screen.close();
        process.off("exit", screen.close);
      }
    },
    leave: () => leave(),
    change,
  };
}

function moves({ velocity }: WorldEntity): boolean {
  return velocity.x !== 0 || velocity.y !== 0;
}

function statusOf({ session }: Pick<Realmwire, "session">, { view, state }: World): string {
  const place = view.self ? formatPlace(view.self.position) : "nowhere";
  const parts = [session?.character ?? "", view.scene?.zone ?? "", place];
  switch (state.kind) {
    case "connected":
      break;
    case "reconnecting":
      parts.push(`connection lost, attempt ${state.attempt}`);
      break;
    case "connecting":
    case "closed":
      parts.push(state.kind);
      break;
  }
  return parts.join(" · ");
}
