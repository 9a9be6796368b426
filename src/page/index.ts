/*
 * The page of one process, for a browser: `page.html`, `page.css` and `icon.svg` stand beside this file and are read
 * from here; `client.ts` is the script they load.
 */
export type * from "./process-view.js";
