// The panel's token and its calls. A refused token means: back to the login page.

import { places } from "/assets/uc_places.js";

const { api, tokenKey, session } = document.body.dataset;

export const token = {
  get: () => places[session].get(tokenKey),
  keep: (value) => places[session].keep(tokenKey, value),
  drop: () => places[session].drop(tokenKey),
};

export async function toLogin() {
  await token.drop();
  location.replace("/login");
}

export async function call(path, options = {}) {
  const headers = { Authorization: `Bearer ${await token.get()}`, "Content-Type": "application/json" };
  const answer = await fetch(api + path, { ...options, headers });
  if (answer.status === 401) await toLogin();
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer;
}

export async function login(email, password) {
  const answer = await fetch(`${api}/api/v1/stores/login?franchise=UCLEAN`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  if ([401, 403, 423].includes(answer.status)) throw new Error((await answer.json()).message);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  await token.keep((await answer.json()).data.token);
}

// The shell of a signed-in page: at once when a token is there, whatever it may still be worth.
export async function openShell() {
  if (await token.get()) document.querySelector("nav").hidden = false;
  else await toLogin();
}
