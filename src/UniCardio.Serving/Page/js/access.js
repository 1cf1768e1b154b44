// The bearer token, kept for this tab alone.

const KEY = "unicardio-token";

export const token = () => sessionStorage.getItem(KEY);

export function setToken(value) {
  if (value === "")
    sessionStorage.removeItem(KEY);
  else
    sessionStorage.setItem(KEY, value);
}

export const headers = () => token() === null ? {} : { Authorization: `Bearer ${token()}` };

// A WebSocket cannot carry the header; the token travels as a subprotocol.
export function subprotocols() {
  if (token() === null)
    return ["unicardio.v1"];
  const bytes = new TextEncoder().encode(token());
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return ["unicardio.v1", `unicardio.bearer.${text}`];
}
