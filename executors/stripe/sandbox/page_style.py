"""The look of the page: one column on a phone, two beside each other on a desk, light and dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --card: #ffffff; --ink: #1b2130; --quiet: #5a6275; --line: #dde1ea;
  --good: #176b42; --good-ground: #dff3e7; --bad: #a3231f; --bad-ground: #fbe4e2;
  --wait: #7a5200; --wait-ground: #fcefd0; --back: #3b46a8; --back-ground: #e5e8fb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12151d; --card: #1b202b; --ink: #e9ecf3; --quiet: #a2abbe; --line: #303748;
    --good: #8fdcb2; --good-ground: #173626; --bad: #ffb0ab; --bad-ground: #46201e;
    --wait: #f3cd7c; --wait-ground: #3e300f; --back: #b9c2ff; --back-ground: #262d57;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  background: var(--ground); color: var(--ink); padding: 1.25rem;
  font: 16px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
header, main { max-width: 76rem; margin: 0 auto; }
header { padding: .25rem 0 1.25rem; }
h1 { font-size: 1.5rem; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; }
h2 { font-size: 1.05rem; margin-bottom: .6rem; }
header p, .quiet { color: var(--quiet); }
main { display: grid; gap: 1.5rem; }
section { min-width: 0; }
ul { list-style: none; padding: 0; display: grid; gap: .75rem; align-content: start; }
li {
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .85rem 1rem; min-width: 0;
}
.empty { color: var(--quiet); }
.line { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center;
  gap: .25rem .75rem; }
.amount { font-size: 1.2rem; font-variant-numeric: tabular-nums; }
.amount small { font-weight: 500; color: var(--quiet); font-size: .8rem; }
.badge {
  font-size: .8rem; font-weight: 600; padding: .1rem .6rem; border-radius: 1rem;
  white-space: nowrap;
}
.good { color: var(--good); background: var(--good-ground); }
.bad { color: var(--bad); background: var(--bad-ground); }
.wait { color: var(--wait); background: var(--wait-ground); }
.back { color: var(--back); background: var(--back-ground); }
.bar { height: .35rem; background: var(--line); border-radius: .2rem; margin: .55rem 0 .3rem; }
.bar i { display: block; height: 100%; background: var(--back); border-radius: .2rem; }
.fine { color: var(--quiet); font-size: .82rem; display: flex; flex-wrap: wrap;
  gap: 0 .75rem; margin-top: .2rem; }
code { font: .82rem ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
@media (min-width: 60rem) {
  main { grid-template-columns: 3fr 2fr; }
  section:first-child ul { grid-template-columns: 1fr 1fr; }
}
"""
