import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { EditRequest } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Accounts, LoginResult } from "../../account/accounts.ts";
import { chain } from "../../maybe-promise.ts";
import type { Releases } from "../../release/releases.ts";
import type { ComponentTypes } from "../../sim/components.ts";
import type { ZoneHost } from "../../zone/zone-host.ts";
import { toLoginAnswer } from "./account-messages.ts";
import type { CharacterPresence } from "./account-messages.ts";
import type { AnswerFlags } from "../players/answer-flags.ts";
import type { Attributes } from "./attributes.ts";
import { checkPutAttributes } from "./map-attributes.ts";
import { refusalError } from "../players/world-entry.ts";
import type { Players } from "../players/players.ts";
import { requireSession } from "../pipeline/require-session.ts";
import { defineService, messageSink, readyStream } from "../service.ts";
import type { Call, ServiceDefinition } from "../service.ts";
import type { Upgrade } from "./upgrade.ts";

/** The last part of the Protobuf package: what Version calls the protocol. */
export const PROTOCOL_VERSION = "v1";

/** What the calls need. */
export interface WorldServiceOptions {
  readonly version: { readonly server: string; readonly commit: string; readonly game: string };
  readonly accounts: Accounts;
  readonly presence: CharacterPresence;
  readonly players: Players;
  readonly types: ComponentTypes;
  readonly attributes: Attributes;
  readonly zones: ZoneHost;
  readonly releases: Releases;
  readonly upgrade: Upgrade;
  readonly answerFlags: AnswerFlags;
  /** Throws `DRAINING` while nobody new may come. */
  readonly refuseLogins: () => void;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}

/** The nine calls, and the stream of moves. */
export function createWorldService(options: WorldServiceOptions): ServiceDefinition {
  const { accounts, players, attributes, releases, answerFlags, presence, now } = options;

  /** Flags of the zone that the character is in, or was last, are for this session from now on. */
  function remember({ session, characters }: LoginResult): void {
    const name = session.character?.name;
    const stored = characters.find((character) => character.name === name)?.zone;
    answerFlags.remember(session.key, (name && presence.zone(name)) ?? stored);
  }

  return defineService(WorldService, {
    version: (_, call) => ({
      protocol: PROTOCOL_VERSION,
      ...options.version,
      clients: [...releases.list()],
      serverTime: timestampFromMs(now()),
      flags: answerFlags.take(call.session),
    }),
    async *upgrade(request, call) {
      let isFirst = true;
      for await (const message of options.upgrade(request, call)) {
        yield isFirst ? { ...message, flags: answerFlags.take(call.session) } : message;
        isFirst = false;
      }
    },
    async login(request, call) {
      // Tools come in all the same: one of them takes the stop back.
      if (!request.noCharacter) options.refuseLogins();
      const result = await accounts.login(request, call.peer, call.signal);
      remember(result);
      return { ...toLoginAnswer(result, presence), flags: answerFlags.take(result.session) };
    },
    async new(request, call) {
      options.refuseLogins();
      const result = await accounts.register(request, call.signal);
      remember(result);
      return { ...toLoginAnswer(result, presence), flags: answerFlags.take(result.session) };
    },
    update: readyStream(async ({ cursor, once, baselines }, call) => {
      const session = requireSession(call);
      const player = await players.enter(session);
      // A stream has flags of its own; who asks once is answered like by any other call.
      const flags = once ? answerFlags.take(session) : [];
      return player.openStream({ cursor, once, baselines, flags });
    }),
    move(request, call) {
      const session = requireSession(call);
      const made = chain(players.enter(session), (player) => player.move(request));
      return chain(made, (outcome) => {
        if (outcome.kind.case !== "move") throw refusalError(outcome);
        const answer = outcome.kind.value;
        answer.flags = answerFlags.take(session);
        return answer;
      });
    },
    input: messageSink(async (call, end) => {
      const session = requireSession(call);
      const player = await players.enter(session);
      const moves = player.openInput(end);
      return {
        ...moves,
        finish: async () => ({
          ...(await moves.finish()),
          flags: answerFlags.take(session),
        }),
      };
    }),
    async get({ name, attributes: names }, call) {
      const session = requireSession(call);
      const values = await attributes.get(session, name, names);
      return { attributes: values, flags: answerFlags.take(session) };
    },
    async set(request, call) {
      const session = requireSession(call);
      const value = await attributes.set(session, request);
      return { value, flags: answerFlags.take(session) };
    },
    async edit(request, call) {
      const session = requireSession(call);
      const { revision, region } = await edit(options, request, call);
      return { revision, ...(region && { region }), flags: answerFlags.take(session) };
    },
  });
}

async function edit(
  { players, zones, types }: WorldServiceOptions,
  request: EditRequest,
  call: Call,
) {
  const session = requireSession(call);
  checkPutAttributes(types, session, request.commands);
  const zoneName = request.zone || (await players.enter(session)).zoneName;
  const zone = await zones.get(zoneName);
  const { commands, undoRevision, dryRun, expectedRevision } = request;
  return await zone.edit({
    commands,
    undoRevision,
    dryRun,
    expectedRevision,
    author: session.accountName,
  });
}
