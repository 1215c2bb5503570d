import type { GameClient, Protocol } from "../load/client.ts";
import type { Place } from "../world/rules.ts";

const STAND: Place = { x: 0, y: 0 };
/** A part of the full speed. */
const STROLL = 0.5;

/** Connections that make Moves as fast as they are answered. */
export interface Burst {
  /** Makes so many Moves in all. Rejects when one is not answered as it should be. */
  run(count: number): Promise<void>;
  /** Lets one of them turn, to one side or back, and walk on. */
  turn(count: number): void;
  /** Updates that came by streams so far. */
  readonly updates: number;
  close(): void;
}

/** Opens a connection for each credential, with or without an update stream. */
export async function openBurst(options: {
  readonly protocol: Protocol;
  readonly port: number;
  readonly credentials: readonly string[];
  readonly withStream: boolean;
  /** Whether answers are those of Moves, or only what was sent. */
  readonly echoes: boolean;
}): Promise<Burst> {
  const { protocol, port, credentials, withStream, echoes } = options;
  let left = 0;
  let underWay = 0;
  let updates = 0;
  let done: PromiseWithResolvers<void> | undefined;
  let isClosed = false;
  let failure: Error | undefined;

  function send(client: GameClient): void {
    left--;
    underWay++;
    client.move(STAND);
  }

  function onFailure(reason: string): void {
    if (!isClosed) failure ??= new Error(reason);
    if (failure) done?.reject(failure);
  }

  const clients: GameClient[] = await Promise.all(
    credentials.map((credential, player) =>
      protocol.open({
        port,
        player,
        credential,
        withStream,
        events: {
          onUpdate: () => void updates++,
          onAnswer(answer) {
            underWay--;
            if (!echoes && !protocol.isMoved(answer)) onFailure("a Move was refused");
            const client = clients[player];
            if (left > 0 && client) send(client);
            else if (underWay === 0) done?.resolve();
          },
          onFailure,
        },
      }),
    ),
  );
  return {
    turn(count) {
      left = 0;
      underWay++;
      const isBack = Math.floor(count / clients.length) % 2 === 1;
      clients[count % clients.length]?.move({ x: isBack ? -STROLL : STROLL, y: 0 });
    },
    async run(count) {
      if (failure) throw failure;
      left = count;
      done = Promise.withResolvers();
      for (const client of clients) if (left > 0) send(client);
      await done.promise;
    },
    get updates() {
      return updates;
    },
    close() {
      isClosed = true;
      for (const client of clients) client.close();
    },
  };
}
