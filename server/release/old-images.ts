import type { ReleaseImage } from "./release-image.ts";

/** Images that are kept, a few MiB each at most. The one not used for longest is forgotten first. */
const MAX_OLD_IMAGES = 16;

/** Images of releases that are no longer current, read when somebody asks for them. */
export interface OldImages {
  /** The image of a release; many who ask at once share one reading. */
  get(platform: string, version: string): Promise<ReleaseImage>;
  /** Forgets an image, so that it is read anew. */
  forget(platform: string, version: string): void;
}

/** Creates the store of old images. */
export function createOldImages(options: {
  readonly read: (platform: string, version: string) => Promise<ReleaseImage>;
}): OldImages {
  const images = new Map<string, Promise<ReleaseImage>>();
  const keyOf = (platform: string, version: string) => `${platform}/${version}`;
  return {
    get(platform, version) {
      const key = keyOf(platform, version);
      const image = images.get(key) ?? options.read(platform, version);
      // Setting it again moves it to the end of the map's order: used last.
      images.delete(key);
      images.set(key, image);
      image.catch(() => images.get(key) === image && images.delete(key));
      const [oldest] = images.keys();
      if (images.size > MAX_OLD_IMAGES && oldest !== undefined) {
        images.delete(oldest);
      }
      return image;
    },
    forget(platform, version) {
      images.delete(keyOf(platform, version));
    },
  };
}
