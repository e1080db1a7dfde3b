// Home: the shell, and the store's name as the first call that needs a good token.

import { call, openShell } from "/assets/uc_api.js";

openShell();
const { data } = await (await call("/api/v1/stores/profile?franchise=UCLEAN")).json();
document.getElementById("store-name").textContent = data.name;
