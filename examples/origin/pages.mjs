// The pages of the members' application.

const outings = [
  ["Saturday 7:00", "Coxed four to the old lock", "Ada, Ben, Carla, Dirk"],
  ["Sunday 9:30", "Beginners on the lake", "Ben, Eva"],
  ["Wednesday 18:00", "Evening eight", "six seats free"],
];

const contents = {
  "/": (name) => `<h1>Welcome back, ${escape(name)}</h1>
<h2>Next outings</h2>
<table><thead><tr><th>When<th>What<th>Who</thead><tbody>
${outings.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}`).join("")}`).join("\n")}
</tbody></table>`,
  "/boats": () => `<h1>Boats</h1>
<ul><li>Albatross, coxed four<li>Heron, double scull<li>Tern, single scull <em>(at the workshop)</em></ul>`,
};

/** The page at a path for the member of this name, `undefined` if there is none. */
export function page(path, name, now) {
  const content = contents[path];
  if (content === undefined) return undefined;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rowing club</title>
<script src="/_auth/client.js" async></script>
<style>
  :root { color-scheme: light dark; }
  body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
  nav { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; border-bottom: 1px solid; padding-bottom: .75rem; }
  nav form { margin-left: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; }
  footer { margin-top: 3rem; opacity: .7; font-size: .875rem; }
</style>
<nav><a href="/">Outings</a> <a href="/boats">Boats</a>
<form method="post" action="/_auth/logout"><button>Sign out</button></form></nav>
${content(name)}
<footer>Served at ${now.toISOString()}</footer>
</html>
`;
}

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
