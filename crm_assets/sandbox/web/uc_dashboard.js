// Home: the shell, when the notices were last seen, and the store's name as the first call that needs a good token.

import { call, openShell } from "/assets/uc_api.js";
import { places } from "/assets/uc_places.js";

await openShell();
const now = new Date().toISOString();
places.session.keep("notices_seen", now);
await places.indexed.keep("notices_seen", now);
const { data } = await (await call("/api/v1/stores/profile?franchise=UCLEAN")).json();
document.getElementById("store-name").textContent = data.name;
