import type { CallsFactory } from "../../server/rpc/transport/short-way.ts";
import { createShortWay } from "../../server/rpc/transport/short-way.ts";

/** Which way calls take through a server: the short one where they are in plain form, or that of the adapter in any case. */
export type Way = "short" | "adapter";

/** A way for a server, with a list of what the adapter answered on it. */
export interface CountedWay {
  /** For the server's options. */
  readonly answerCalls: CallsFactory;
  /** By the path of the call, in which types of content its requests came to the adapter. */
  readonly adapted: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Makes one, for one server. */
export function createCountedWay(way: Way): CountedWay {
  const adapted = new Map<string, Set<string>>();
  return {
    adapted,
    answerCalls(options) {
      const adapter: typeof options.adapter = {
        ...options.adapter,
        handle(request, response, body) {
          const path = request.url ?? "";
          const types = adapted.get(path) ?? new Set();
          adapted.set(path, types.add(request.headers["content-type"] ?? ""));
          options.adapter.handle(request, response, body);
        },
      };
      return way === "adapter" ? adapter : createShortWay({ ...options, adapter });
    },
  };
}
