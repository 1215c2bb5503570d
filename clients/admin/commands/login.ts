import type { Command } from "commander";
import { createConnection } from "../connection.ts";
import { logIn, logOut } from "../session.ts";
import type { AddAction, Tool } from "../tool.ts";

/** Adds what begins and ends the session that commands go on with. */
export function addLogin(program: Command, add: AddAction): void {
  add(program.command("login").description("log in, and keep the session"), async (tool) => {
    const name = await connected(tool, logIn);
    tool.print([`${name} is logged in at ${tool.settings.url}`], { account: name });
  });
  add(program.command("logout").description("end the session that was kept"), async (tool) => {
    const ended = await connected(tool, logOut);
    tool.print([ended ? "logged out" : "no session was kept"], { ended });
  });
}

async function connected<T>(
  tool: Tool,
  work: (...args: Parameters<typeof logIn>) => Promise<T>,
): Promise<T> {
  const { settings } = tool;
  const connection = createConnection({ url: settings.url, caFile: settings.ca });
  try {
    return await work(tool, settings, connection);
  } finally {
    connection.close();
  }
}
