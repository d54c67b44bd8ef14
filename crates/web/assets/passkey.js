// Passkeys: `data-passkey="sign-in"` and `data-passkey="register"` sections come alive where the browser can.
// The server keeps the ceremony's state; this script only carries bytes between it and the authenticator.
const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (it) => it.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const send = async (path, body) => {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(json.title);
  return json;
};
const withBytes = (list) => (list ?? []).map((it) => ({ ...it, id: toBytes(it.id) }));

const register = async (next) => {
  const { ceremony, publicKey } = await send("/account/passkeys/begin", {});
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      challenge: toBytes(publicKey.challenge),
      user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: withBytes(publicKey.excludeCredentials),
    },
  });
  await send("/account/passkeys/finish", {
    ceremony,
    credential: {
      id: made.id, rawId: toText(made.rawId), type: made.type, extensions: {},
      response: {
        attestationObject: toText(made.response.attestationObject),
        clientDataJSON: toText(made.response.clientDataJSON),
        transports: made.response.getTransports?.() ?? [],
      },
    },
  });
  location.assign(next);
};

const signIn = async (next) => {
  const { ceremony, publicKey } = await send("/sign-in/passkey/begin", {});
  const got = await navigator.credentials.get({
    publicKey: { ...publicKey, challenge: toBytes(publicKey.challenge), allowCredentials: withBytes(publicKey.allowCredentials) },
  });
  const { to } = await send("/sign-in/passkey/finish", {
    ceremony,
    next,
    credential: {
      id: got.id, rawId: toText(got.rawId), type: got.type, extensions: {},
      response: {
        authenticatorData: toText(got.response.authenticatorData),
        clientDataJSON: toText(got.response.clientDataJSON),
        signature: toText(got.response.signature),
        userHandle: got.response.userHandle ? toText(got.response.userHandle) : null,
      },
    },
  });
  location.assign(to);
};

if (window.PublicKeyCredential) {
  for (const box of document.querySelectorAll("[data-passkey]")) {
    const [button, error] = [box.querySelector("button"), box.querySelector(".error")];
    box.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      error.hidden = true;
      try {
        await (box.dataset.passkey === "register" ? register : signIn)(box.dataset.next || "/");
      } catch (problem) {
        // A person who closes the browser's window sees the same calm line as one whose key failed.
        error.textContent = box.dataset.failed;
        error.hidden = false;
        console.info("passkey", problem.name);
      }
      button.disabled = false;
    });
  }
  for (const line of document.querySelectorAll("[data-passkey-missing]")) line.hidden = true;
}
