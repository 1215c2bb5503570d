import { timestampDate } from "@bufbuild/protobuf/wkt";
import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { namesInView } from "../command.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../errors.ts";
import { line, span } from "../terminal/line.ts";

/** Asking about the server and its world. */
export const serverCommands: readonly Command[] = [
  {
    name: "version",
    usage: "",
    summary: "tell the versions of the server and of its protocol",
    examples: ["version"],
    needs: "nothing",
    async run({ client, url }) {
      const { game, server, commit, protocol, serverTime } = await client.version();
      return {
        lines: [
          line(`${game} at ${url}: server ${server}, commit ${commit}, protocol ${protocol}.`),
        ],
        data: {
          game,
          server,
          commit,
          protocol,
          serverTime: serverTime && timestampDate(serverTime).toISOString(),
        },
      };
    },
  },
  {
    name: "zones",
    usage: "",
    summary: "list the zones of the world",
    examples: ["zones"],
    needs: "login",
    async run({ client }) {
      const zones = await client.zones.list();
      return {
        lines: zones.map(({ name, running, characters, mapRevision }) => [
          span(name, { bold: true }),
          span(
            running
              ? `: ${characters} in it, map revision ${mapRevision}`
              : ": asleep until somebody enters",
          ),
        ]),
        data: zones.map(({ name, running, characters, mapRevision }) => ({
          name,
          running,
          characters,
          mapRevision,
        })),
      };
    },
  },
  {
    name: "locate",
    usage: "<character>",
    summary: "tell in which zone a character is, and whether its player is there",
    examples: ["locate bob"],
    needs: "login",
    complete: namesInView,
    async run({ client }, { words }) {
      const [wanted] = words;
      if (wanted === undefined) throw new UsageError("locate needs a name");
      const { name, zone, online } = await client.locate(wanted);
      const isOnline = online === OnlineStatus.ONLINE;
      const text = `${name} is in ${zone || "no zone yet"}, ${isOnline ? "and there" : "but away"}.`;
      return { lines: [line(text)], data: { name, zone, online: isOnline } };
    },
  },
];
