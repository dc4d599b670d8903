// The club's members. A real application has them in its database.

import { scryptSync, timingSafeEqual } from "node:crypto";

const hash = (password, salt) => scryptSync(password, salt, 32);

/** For members that do not exist, so that they take as long as those who do. */
const nobody = { salt: "nobody", hash: hash("nobody", "nobody") };

const members = new Map([
  ["ada", { sub: "m-001", name: "Ada Winter", email: "ada@rowing.example", roles: ["member", "board"], password: "harbour-lights" }],
  ["ben", { sub: "m-002", name: "Ben Okoro", email: "ben@rowing.example", roles: ["member"], password: "early-tide" }],
].map(([name, { password, ...member }]) => [name, { ...member, salt: name, hash: hash(password, name) }]));

/** The member these credentials belong to, `undefined` if there is none. */
export function checkCredentials({ username, password }) {
  const member = members.get(String(username).toLowerCase());
  const { salt, hash: expected } = member ?? nobody;
  const matches = timingSafeEqual(hash(String(password), salt), expected);
  return matches ? member : undefined;
}

/** The name of the member with this number, as the guard hands it on. */
export function nameOf(sub) {
  return [...members.values()].find((member) => member.sub === sub)?.name ?? sub;
}
