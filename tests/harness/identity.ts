// A user whose identity headers are compared, and headers by which a client could pretend one.

/** The answer to a login by LOGIN_URL. */
export const ada = {
  sub: "m-1",
  claims: { email: "ada@example.com", name: "Ada W", preferred_username: "ada" },
  roles: ["member", "a,b"],
};

const NAMES = [
  ...["User", "Email", "Groups", "Session", "Data", "Assertion", "Claim-Name", "Preferred-Username"].map((name) => `X-Auth-Request-${name}`),
  ...["User", "Email", "Groups", "Preferred-Username"].map((name) => `X-Forwarded-${name}`),
  ...["User", "Email", "Groups", "Name"].map((name) => `Remote-${name}`),
];

/** Each name in several spellings, of which some server or framework makes the same. */
export const forged = Object.fromEntries(
  NAMES.flatMap((name) => [name, name.toUpperCase().replaceAll("-", "_"), name.replaceAll("-", "."), name.replaceAll("-", ""), name.replace("-", "_")])
    .map((name) => [name, "forged"]),
);
