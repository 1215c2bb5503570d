/** What may not stand in a name: what some system takes for a separator, a drive or a stream, or does not take at all. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\\:*?"<>|\u0000-\u001f\u007f-\u009f]/;
/** Names of devices, which Windows finds in every folder and with every ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?: *\.|$)/i;
/** The updater's own file at the top of a client's folder. */
const UPDATERS_OWN = ".realmwire-release.json";

/** Why not every system can write a file or folder at this path, if that is so. The updater of clients refuses the same paths. */
export function whyNotPortable(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (FORBIDDEN.test(name)) return 'has a backslash, a control character or one of : * ? " < > |';
  if (/[. ]$/.test(name)) return "ends with a dot or a space";
  if (DEVICE.test(name)) return "is the name of a device on Windows";
  if (placeOf(path) === UPDATERS_OWN) return "is the updater's own";
  return undefined;
}

/** A text that is the same for paths that some file system takes for the same: it may not know upper and lower case, or how accents are written. */
export function placeOf(path: string): string {
  const bare = path.normalize("NFC").replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "");
  return bare.toUpperCase().toLowerCase().normalize("NFC");
}
