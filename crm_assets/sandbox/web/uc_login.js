// The login form of both fronts. Like Angular's, it knows only what input events told it, not what stands in the fields.

import { login, token } from "/assets/uc_api.js";

const typed = { email: "", password: "" };
const alertBox = document.querySelector(".alert");

for (const field of Object.keys(typed)) {
  document.querySelector(`input[type=${field}]`).addEventListener("input", (event) => {
    typed[field] = event.target.value;
  });
}

document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  alertBox.hidden = true;
  try {
    if (!typed.email || !typed.password) throw new Error("Email and password are required");
    await login(typed.email, typed.password);
    location.assign("/dashboard");
  } catch (error) {
    alertBox.textContent = error.message;
    alertBox.hidden = false;
  }
});

if (await token.get()) location.replace("/dashboard");
