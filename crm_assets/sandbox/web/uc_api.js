// The panel's token and its calls. A refused token means: back to the login page.

const { api, tokenKey } = document.body.dataset;

export const token = {
  get: () => localStorage.getItem(tokenKey),
  keep: (value) => localStorage.setItem(tokenKey, value),
  drop: () => localStorage.removeItem(tokenKey),
};

export function toLogin() {
  token.drop();
  location.replace("/login");
}

export async function call(path, options = {}) {
  const headers = { Authorization: `Bearer ${token.get()}`, "Content-Type": "application/json" };
  const answer = await fetch(api + path, { ...options, headers });
  if (answer.status === 401) toLogin();
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer;
}

export async function login(email, password) {
  const answer = await fetch(`${api}/api/v1/stores/login?franchise=UCLEAN`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  if (answer.status === 401) throw new Error((await answer.json()).message);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  token.keep((await answer.json()).data.token);
}

// The shell of a signed-in page: at once when a token is there, whatever it may still be worth.
export function openShell() {
  if (token.get()) document.querySelector("nav").hidden = false;
  else toLogin();
}
