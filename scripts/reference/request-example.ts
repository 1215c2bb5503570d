import type { DescMethod, JsonObject } from "@bufbuild/protobuf";

/** Where new characters of the default world stand. */
const START = { x: 24.5, y: 21.5 };

/** A request of each call that has something to say, as somebody in the default world would send it. */
const EXAMPLES: Readonly<Record<string, JsonObject>> = {
  "realmwire.v1.AccountService/ChangePassword": {
    oldPassword: "correct horse",
    newPassword: "battery staple",
  },
  "realmwire.v1.AccountService/CreateCharacter": { name: "Grace" },
  "realmwire.v1.AccountService/SelectCharacter": { name: "Grace" },
  "realmwire.v1.AccountService/DeleteCharacter": { name: "Grace" },
  "realmwire.v1.AccountService/ListCharacters": { pageSize: 20 },
  "realmwire.v1.AdminService/ListUsers": { pageSize: 20, prefix: "a" },
  "realmwire.v1.AdminService/GetUser": { target: { account: "bob" } },
  "realmwire.v1.AdminService/SetRole": { account: "bob", role: "ROLE_BUILDER" },
  "realmwire.v1.AdminService/ResetPassword": { target: { account: "bob" } },
  "realmwire.v1.AdminService/Kick": { target: { character: "bob" }, reason: "Mind your language." },
  "realmwire.v1.AdminService/Ban": {
    target: { account: "bob" },
    reason: "Spam.",
    duration: "604800s",
  },
  "realmwire.v1.AdminService/Unban": { target: { account: "bob" } },
  "realmwire.v1.AdminService/Announce": { text: "A storm is coming.", zone: "town" },
  "realmwire.v1.AdminService/Drain": { stopsIn: "300s", reason: "An update." },
  "realmwire.v1.AdminService/RecordZone": { zone: "town" },
  "realmwire.v1.ChatService/Say": { text: "Hello!" },
  "realmwire.v1.ChatService/Shout": { text: "The gate is open!" },
  "realmwire.v1.ChatService/Tell": { to: "bob", text: "Meet me at the well." },
  "realmwire.v1.ChatService/ListMessages": { pageSize: 20 },
  "realmwire.v1.ReleaseService/PublishRelease": { platform: "typescript", version: "1.0.0" },
  "realmwire.v1.WorldService/Login": { name: "ada", password: "correct horse" },
  "realmwire.v1.WorldService/New": { name: "zoe", password: "open sesame" },
  "realmwire.v1.WorldService/Move": { destination: START, sequence: 1 },
  "realmwire.v1.WorldService/Get": { attributes: ["gold", "mood"] },
  "realmwire.v1.WorldService/Set": { attribute: "mood", value: { stringValue: "happy" } },
  "realmwire.v1.WorldService/Edit": {
    zone: "town",
    dryRun: true,
    commands: [
      {
        putObject: {
          name: "notice",
          kind: "signpost",
          position: { x: 30, y: 24 },
          attributes: { text: { stringValue: "Fresh eggs" } },
        },
      },
    ],
  },
  "realmwire.v1.ZoneService/GetMap": { zone: "town" },
  "realmwire.v1.ZoneService/ListZones": { pageSize: 20 },
  "realmwire.v1.ZoneService/LocateCharacter": { name: "bob" },
};

/** An example of a call's request. Empty for calls that have none here, which is no valid request of each. */
export function requestExample(method: DescMethod): JsonObject {
  return EXAMPLES[`${method.parent.typeName}/${method.name}`] ?? {};
}
