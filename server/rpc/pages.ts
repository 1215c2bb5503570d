/** What the landing page tells. */
export interface LandingPage {
  readonly game: string;
  /** The server's own address as the caller wrote it, such as `localhost:8080`; checked, since it is repeated. */
  readonly host: string;
  /** Whether the page is asked for over TLS. */
  readonly secured: boolean;
  readonly services: readonly string[];
  readonly asHtml: boolean;
}

/** Says what this server is and how to call it. */
export function landingPage(page: LandingPage): string {
  const version = `${page.secured ? "https" : "http"}://${page.host}/realmwire.v1.WorldService/Version`;
  const intro = `This is a Realmwire game server. It runs the game "${page.game}".`;
  const how = "Programs call it in Connect, gRPC or gRPC-Web, all at this one address. Try:";
  const commands = [
    `curl -H 'content-type: application/json' -d '{}' ${version}`,
    `buf curl ${version}`,
    `grpcurl ${page.secured ? "" : "-plaintext "}${page.host} list`,
  ];
  if (!page.asHtml) {
    const list = commands.map((command) => `    ${command}\n`).join("");
    return `${intro}\n${how}\n\n${list}\nServices:\n\n${serviceList(page.services)}`;
  }
  const code = (lines: readonly string[]) => `<pre>${lines.map(escapeHtml).join("\n")}</pre>`;
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Realmwire</title>',
    "<style>body{font:16px/1.5 system-ui;max-width:48rem;margin:4rem auto;padding:0 1rem}",
    "pre{background:#eee;color:#000;padding:1rem;overflow:auto}</style>",
    `<h1>${escapeHtml(page.game)}</h1><p>${escapeHtml(intro)}</p><p>${how}</p>`,
    `${code(commands)}<p>Services:</p>${code(page.services)}</html>\n`,
  ].join("\n");
}

/** Says that nothing is at a path, and what there is instead. */
export function notFoundPage(path: string, services: readonly string[]): string {
  return (
    `There is nothing at ${path}.\n` +
    "A call's path is /<service>/<Call>, such as /realmwire.v1.WorldService/Version. Services:\n\n" +
    serviceList(services)
  );
}

function serviceList(services: readonly string[]): string {
  return services.map((service) => `    ${service}\n`).join("");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
