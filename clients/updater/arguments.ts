import { parseArgs } from "node:util";

/** What the command is asked to do. */
export interface Arguments {
  /** Undefined: the client that this program is a part of. */
  readonly folder: string | undefined;
  /** Undefined: the server that the folder came from. */
  readonly url: string | undefined;
  readonly platform: string | undefined;
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly check: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** The command was called in a way that means nothing. */
export class UsageError extends Error {}

/** What `--help` prints. */
export const HELP = `Usage: npm run update-client -- [options] [folder]
       node clients/updater/main.ts [options] [folder]

Makes a folder the current client release of a Realmwire server, or brings the client in it up to date.
Without a folder: the client that this program is a part of.

  --url <url>          the server, such as https://play.example.org; default: where the folder came from
  --platform <name>    the kind of client; default: that of the folder, or the only one of the server
  --to <version>       the release; default: the current one
  --from <version>     the release that the folder holds, if this program did not make it;
                       "unknown" keeps all of its files that the new release does not have
  --check              only tell what would change
  --json               print one JSON object instead of text
  -h, --help           print this help

Only what differs is fetched, and every file is checked. Ended by whatever means, it goes on where it was when it is
run again; the old client stays as it is until the new one is there as a whole. Your own files stay.

Exit codes: 0 done, or up to date; 1 failed; 2 called wrongly; 3 --check: there is something to update;
130 ended by Ctrl+C.
`;

/** Reads the arguments of the command. Throws a {@link UsageError}. */
export function readArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) throw new UsageError("only one folder can be updated at a time");
  const { url, platform, to, from, check = false, json = false, help = false } = values;
  if (url !== undefined && !/^https?:\/\/[^/]/.test(url)) {
    throw new UsageError(`--url ${JSON.stringify(url)}: must begin with http:// or https://`);
  }
  return { folder: positionals[0], url, platform, to, from, check, json, help };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: text,
        platform: text,
        to: text,
        from: text,
        check: flag,
        json: flag,
        help: { ...flag, short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
