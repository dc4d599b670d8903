// What somebody does with Django's admin, from the login to being signed out elsewhere.

import { demand, signIn, signInElsewhere, toldAtLogin } from "../lib/told.mjs";

/** A name that every part on the way could get wrong. */
const AWKWARD = "Vierer & Größe 100% #1; a+b";

/** Takes all steps. */
export async function use(page, steps, { site, origin }) {
  await steps.take("without a session, the login page, and not Django's", async () => {
    await page.goto(`${site}/admin/auth/group/add/`);
    demand(new URL(page.url()).pathname === "/_auth/login", `it is ${page.url()}`);
  });
  await steps.take("a login leads back to the form, and Django knows who it is", async () => {
    await signIn(page);
    await page.getByRole("heading", { name: "Add group" }).waitFor();
    return who(page);
  });
  await steps.take(`a group is added by the form, named ${AWKWARD}`, async () => {
    await page.getByLabel("Name:").fill(AWKWARD);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    return said(page, "was added successfully");
  });
  await steps.take("it is found by its name", async () => {
    await page.goto(`${site}/admin/auth/group/?q=${encodeURIComponent(AWKWARD)}`);
    demand((await page.getByRole("link", { name: AWKWARD, exact: true }).count()) === 1, await page.locator("#content").innerText());
  });
  await steps.take("it is changed, and deleted", async () => {
    await page.getByRole("link", { name: AWKWARD, exact: true }).click();
    await page.getByLabel("Name:").fill("Achter");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await said(page, "was changed successfully");
    await page.getByRole("link", { name: "Achter", exact: true }).click();
    await page.getByRole("link", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Yes, I’m sure" }).click();
    return said(page, "was deleted successfully");
  });
  await steps.take("a redirect of Django's names the site, not the address behind it", async () => {
    const answer = await page.request.get(`${site}/admin/auth/group`, { maxRedirects: 0 });
    const location = new URL(answer.headers()["location"] ?? "", site);
    demand(answer.status() === 301 && location.href === `${site}/admin/auth/group/`, `${answer.status()} to ${location}`);
    await page.goto(`${site}/admin/auth/group`);
    demand(page.url() === `${site}/admin/auth/group/`, `it is ${page.url()}`);
  });
  await steps.take("Django's own check of forms holds: without its token one is refused", async () => {
    const status = await page.evaluate(async () => (await fetch("/admin/auth/group/add/", { method: "POST", body: new URLSearchParams({ name: "x" }) })).status);
    demand(status === 403, `it was answered ${status}`);
  });
  await steps.take("who reaches Django with a name of their own, through the guard, is who they were", async () => {
    const answer = await page.request.get(`${site}/admin/`, { headers: { "x-auth-request-user": "m-002", x_auth_request_user: "m-002" } });
    const text = await answer.text();
    demand(text.includes("Ada Winter") && !text.includes("m-002"), `it was answered ${answer.status()}`);
  });
  await steps.take("after a login elsewhere, a form that is sent changes nothing, and leads to the login page, which says why", async () => {
    await page.goto(`${site}/admin/auth/group/add/`);
    await page.getByLabel("Name:").fill("too late");
    await signInElsewhere(site);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    return toldAtLogin(page);
  });
  await steps.take("a new login leads back to the form, and nothing was added", async () => {
    await signIn(page);
    await page.getByRole("heading", { name: "Add group" }).waitFor();
    await page.goto(`${site}/admin/auth/group/`);
    demand((await page.getByRole("link", { name: "too late" }).count()) === 0, "it was added");
  });
  await steps.take("Django's own log out ends the session", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL((url) => url.pathname === "/_auth/login");
    await page.goto(`${site}/admin/`);
    demand(new URL(page.url()).pathname === "/_auth/login", `it is ${page.url()}`);
  });
  await steps.take("who signs in then is nobody else, and may do what they may", async () => {
    await signIn(page, "ben", "early-tide");
    await page.waitForURL(`${site}/admin/`);
    const name = await who(page);
    demand(!name.includes("ADA"), name);
    const answer = await page.goto(`${site}/admin/auth/group/add/`);
    demand(answer?.status() === 403, `to add a group was answered ${answer?.status()}`);
    return name;
  });
  await steps.take("past the guard, Django knows nobody", async () => {
    const answer = await fetch(`${origin}/admin/`, { redirect: "manual", headers: { "x-forwarded-host": new URL(site).host } });
    demand(answer.status === 302 && answer.headers.get("location")?.startsWith("/admin/login/"), `it was answered ${answer.status}`);
  });
}

/** Who Django says it is. */
const who = async (page) => (await page.locator("#user-tools strong").innerText()).trim();

/** Waits for what Django says of what was done. */
async function said(page, text) {
  const message = page.locator(".messagelist", { hasText: text });
  await message.waitFor();
  return (await message.innerText()).trim();
}
