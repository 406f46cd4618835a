// SPDX-License-Identifier: Apache-2.0
/*
 * Draws the status page from the API behind it (docs/status-page.md). What is shown, and
 * how it is filtered, stands in the URL's fragment, so that every view is a link. Texts
 * of the cluster only ever become text nodes or values, never markup.
 */
'use strict';

const ROWS = 100, ENTRIES = 100, WAIT_S = 25, RETRY_MS = 2000, PAUSE_MS = 500;
const HEALTH = {
  conflict: ['bad', 'Conflict'], pending: ['bad', 'Pending'], unannounced: ['bad', 'Not announced'],
  kept: ['warn', 'Kept'], 'no-endpoints': ['warn', 'No endpoints'], ok: ['good', 'OK'],
};
const EVENTS = {
  assigned: ['good', 'Assigned', 'address'], announced: ['good', 'Announced', 'address'],
  moved: ['idle', 'Moved', 'address'], failover: ['warn', 'Failover', 'address trouble'],
  unannounced: ['bad', 'Not announced', 'address trouble'], released: ['idle', 'Released', 'address'],
  pending: ['bad', 'Pending', 'address trouble'], conflict: ['bad', 'Conflict', 'address trouble'],
  'conflict-ended': ['good', 'Conflict ended', 'address'], 'node-up': ['good', 'Node up', 'node'],
  'node-down': ['bad', 'Node down', 'node trouble'], 'node-leaving': ['idle', 'Node leaving', 'node'],
  'peer-up': ['good', 'Peer up', 'node'], 'peer-down': ['bad', 'Peer down', 'node trouble'],
};
const FILTERS = ['q', 'namespace', 'pool', 'node', 'health', 'sort', 'order', 'page', 'events'];
const $ = (id) => document.getElementById(id);
const known = { revision: '', last: 0, entries: [], shown: ENTRIES, summary: null, typing: 0 };

/* element('a', {href: '#'}, 'text', child...): every text is a text node. */
function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}

const state = ([tone, text]) => element('span', { class: `state ${tone}` }, text);
const number = (value) => value.toLocaleString('en');

/* Without a name and password that the page's own URL may have: fetch takes none such. */
const API = new URL('api/v1/', location.origin + location.pathname);

async function ask(path, parameters) {
  const answer = await fetch(new URL(`${path}?${new URLSearchParams(parameters || {})}`, API));
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(answer.status === 401 ? 'the token was refused: load the page again' : `${path}: ${answer.status}`);
  return answer.json();
}

/* ---- the fragment ---- */

const fragment = () => new URLSearchParams(location.hash.slice(1));

/* The link to what is shown now, but for these changes; '' or null takes one away. */
function link(changes) {
  const all = fragment();
  for (const [key, value] of Object.entries(changes)) {
    if (value === '' || value === null) all.delete(key);
    else all.set(key, value);
  }
  return `#${all}`;
}

function go(changes, replace) {
  const to = link(changes);
  if (to === `#${fragment()}`) return;
  if (replace) {
    history.replaceState(null, '', to);
    follow();
  } else {
    location.hash = to;
  }
}

const toService = (key) => element('a', { href: link({ service: key }), 'data-service': key },
  element('span', { class: 'namespace' }, `${key.slice(0, key.indexOf('/'))}/`), key.slice(key.indexOf('/') + 1));

/* ---- the Services ---- */

const owner = (address) => [address.owner, address.bgp ? 'BGP' : null].filter(Boolean).join(' and ');

/* The node is a link to all that is announced from there. */
function announcers(address) {
  const by = element('span', {});
  if (address.owner) by.append(element('a', { href: link({ node: address.owner, page: '' }) }, address.owner), address.bgp ? ' and ' : '');
  if (address.bgp) by.append('BGP');
  return by;
}

function rowOf(service) {
  const lines = (make) => service.addresses.map((address) => element('div', {}, make(address)));
  return element('tr', {},
    element('td', {}, state(HEALTH[service.health])),
    element('th', { scope: 'row' }, toService(`${service.namespace}/${service.name}`)),
    element('td', { class: 'address' }, ...lines((address) => address.address)),
    element('td', {}, ...lines((address) => address.pool ? element('a', { href: link({ pool: address.pool, page: '' }) }, address.pool) : '')),
    element('td', {}, ...lines(announcers)),
    element('td', { class: 'number' }, service.endpoints ? `${service.ready} of ${service.endpoints}` : '0'));
}

function turnPage(id, page, exists) {
  if (exists) $(id).setAttribute('href', link({ page: page > 1 ? page : '' }));
  else $(id).removeAttribute('href');
}

async function showServices() {
  const wanted = fragment();
  const page = Math.max(1, Math.floor(Number(wanted.get('page'))) || 1);
  const query = { offset: (page - 1) * ROWS, limit: ROWS, sort: wanted.get('sort') || 'health' };
  for (const key of ['q', 'namespace', 'pool', 'node', 'health', 'order']) {
    if (wanted.get(key)) query[key] = wanted.get(key);
  }
  const answer = await ask('services', query);
  if (String(wanted) !== String(fragment())) return;
  const end = answer.offset + answer.services.length;
  keepFocus($('rows'), () => $('rows').replaceChildren(...answer.services.map(rowOf)));
  $('range').textContent = answer.matched === 0 ? 'No Service matches'
    : `${number(Math.min(answer.offset + 1, end))}–${number(end)} of ${number(answer.matched)}`;
  turnPage('previous', page - 1, page > 1);
  turnPage('next', page + 1, end < answer.matched);
}

/* Drawing anew must not throw the reader out of the table. */
function keepFocus(parent, draw) {
  const href = parent.contains(document.activeElement) && document.activeElement.getAttribute('href');
  draw();
  if (href) [...parent.querySelectorAll('a')].find((a) => a.getAttribute('href') === href)?.focus();
}

/* ---- what stands beside them ---- */

function poolRows(pool) {
  const note = pool.disabled ? 'disabled' : pool.autoAssign ? '' : 'on request';
  return ['ipv4', 'ipv6'].filter((family) => pool[family]).map((family) => {
    const { addresses, inUse } = pool[family];
    const name = `${pool.name}, ${family === 'ipv4' ? 'IPv4' : 'IPv6'}: ${inUse} of ${addresses} in use`;
    return element('tr', {},
      element('th', { scope: 'row' }, element('a', { href: link({ pool: pool.name, page: '' }) }, pool.name), note && element('span', { class: 'quiet' }, ` ${note}`)),
      element('td', {}, family === 'ipv4' ? 'IPv4' : 'IPv6'),
      element('td', {}, element('progress', { max: addresses, value: inUse, 'aria-label': name, class: inUse >= addresses ? 'full' : null })),
      element('td', { class: 'number' }, `${number(inUse)} of ${addresses < 1e6 ? number(addresses) : addresses.toExponential(1)}`));
  });
}

function nodeRow(node) {
  const tone = node.eligible ? (node.ready ? 'good' : 'warn') : node.speaker === 'leaving' ? 'idle' : 'bad';
  const text = node.eligible ? (node.ready ? 'Announces' : 'Not ready') : 'Does not announce';
  return element('tr', {},
    element('th', { scope: 'row' }, element('a', { href: link({ node: node.name, page: '' }) }, node.name)),
    element('td', {}, state([tone, text]), node.eligible ? null : element('span', { class: 'why' }, node.verdict)),
    element('td', { class: 'number' }, number(node.addresses)));
}

function peerRow(peer) {
  const tone = peer.state === 'up' ? 'good' : 'bad';
  return element('tr', {},
    element('th', { scope: 'row' }, peer.name),
    element('td', {}, peer.node),
    element('td', {}, state([tone, peer.state]), peer.error ? element('span', { class: 'why' }, peer.error) : null),
    element('td', { class: 'number' }, peer.exported < 0 ? '' : number(peer.exported)));
}

function healthLinks(counts) {
  const chosen = fragment().get('health') || '';
  const make = (health, text, count) => element('a', {
    href: link({ health, page: '' }), 'aria-current': chosen === health ? 'true' : null,
  }, text, element('b', {}, number(count)));
  return [make('', 'All', counts.total),
    ...Object.entries(HEALTH).map(([health, [, text]]) => make(health, text, counts[health]))];
}

function notices(summary) {
  const list = [];
  const add = (text, bad) => list.push(element('p', { class: bad ? 'bad' : null }, text));
  if (!summary.synced) add('This replica has not seen everything yet: the lists of the cluster’s objects are not complete, or there is no configuration.');
  else if (!summary.inContact) add('No Lease of a speaker is being renewed: either no speaker runs, or the API server can’t be reached. What is shown may be old.', true);
  if (summary.configuration === 'refused') add('The ConfigMap is refused, and the last good configuration stays in force. kubectl -n herald-system describe configmap herald-config says why.', true);
  if (summary.configuration === 'none') add('There is no valid configuration yet: nothing is assigned.', true);
  for (const conflict of summary.conflicts.slice(0, 5)) {
    add(`${conflict.address} belongs to another machine, ${conflict.station}, as ${conflict.node} found. Take it from that machine, or put it into its pool’s reserved.`, true);
  }
  return list;
}

/* The choice that the fragment makes stays one, also where there is no such thing. */
function choices(id, names) {
  const chosen = fragment().get(id) || '';
  const all = chosen && !names.includes(chosen) ? [...names, chosen] : names;
  const options = ['', ...all].map((name) => element('option', { value: name }, name || 'all'));
  if (document.activeElement !== $(id)) $(id).replaceChildren(...options);
  $(id).value = chosen;
}

function drawSummary() {
  const summary = known.summary;
  if (!summary) return;
  const drawn = notices(summary);
  if ($('notices').textContent !== drawn.map((p) => p.textContent).join('')) $('notices').replaceChildren(...drawn);
  $('replica').textContent = `${summary.identity}, ${summary.leading ? 'leads' : 'stands by'} · ${summary.version}`;
  keepFocus($('health'), () => $('health').replaceChildren(...healthLinks(summary.services)));
  keepFocus($('pools'), () => $('pools').replaceChildren(...summary.pools.flatMap(poolRows)));
  keepFocus($('nodes'), () => $('nodes').replaceChildren(...summary.nodes.map(nodeRow)));
  $('peers').replaceChildren(...summary.peers.map(peerRow));
  $('peers-section').hidden = summary.peers.length === 0;
  choices('pool', summary.pools.map((pool) => pool.name));
  choices('node', summary.nodes.map((node) => node.name));
}

async function showSummary() {
  known.summary = await ask('summary');
  drawSummary();
}

/* ---- the timeline ---- */

function eventText(entry) {
  const text = [];
  if (entry.address) text.push(element('span', { class: 'address' }, entry.address), ' ');
  if (entry.service) text.push(toService(entry.service), ' ');
  if (entry.from && entry.node) text.push(`${entry.from} → ${entry.node}`);
  else if (entry.from) text.push(`was on ${entry.from}`);
  else if (entry.node) text.push(entry.address ? `on ${entry.node}` : entry.node);
  return text;
}

function eventItem(entry, isNew) {
  const time = new Date(entry.time);
  const [tone, text] = EVENTS[entry.kind] || ['idle', entry.kind];
  return element('li', { class: isNew ? 'new' : null, 'data-kind': entry.kind },
    element('time', { datetime: time.toISOString(), title: time.toLocaleString() }, time.toTimeString().slice(0, 8)),
    element('div', { class: 'what' }, state([tone, text]), ' ', ...eventText(entry),
      entry.text ? element('span', { class: 'why' }, entry.text) : null));
}

function drawTimeline(since) {
  const wanted = fragment().get('events') || '';
  const matching = known.entries.filter((entry) => !wanted || (EVENTS[entry.kind] || [])[2]?.split(' ').includes(wanted));
  const shown = matching.slice(-known.shown).reverse();
  keepFocus($('timeline'), () => $('timeline').replaceChildren(...shown.map((entry) => eventItem(entry, entry.number > since))));
  $('none').hidden = shown.length > 0;
  $('more').hidden = matching.length <= known.shown;
}

function say(entries) {
  const last = entries[entries.length - 1];
  const what = EVENTS[last.kind] ? EVENTS[last.kind][1] : last.kind;
  $('said').textContent = `${entries.length > 1 ? `${entries.length} events, the last: ` : ''}${what} ${[last.address, last.service, last.node].filter(Boolean).join(' ')}`;
}

function takeTimeline(answer) {
  const isFirst = known.revision === '';
  const since = isFirst || answer.last < known.last ? answer.last : known.last;
  if (answer.last < known.last) known.entries = []; // the replica was started anew
  known.entries = [...known.entries, ...answer.entries].slice(-1000);
  known.last = answer.last;
  if (answer.entries.length > 0 || isFirst) drawTimeline(since);
  if (answer.entries.length > 0 && !isFirst) say(answer.entries);
}

/* ---- one Service ---- */

function facts(pairs) {
  return element('dl', {}, ...pairs.filter(([, value]) => value).flatMap(([name, value]) => [
    element('dt', {}, name), element('dd', {}, ...[value].flat())]));
}

function verdictTable(service) {
  const rows = service.verdicts.map((verdict) => element('tr', {},
    element('td', { class: 'address' }, verdict.address), element('th', { scope: 'row' }, verdict.node),
    element('td', {}, state(verdict.eligible ? ['good', 'may'] : ['bad', 'may not'])), element('td', {}, verdict.verdict)));
  return element('table', {}, element('caption', { class: 'unseen' }, 'What each node is to each address'),
    element('thead', {}, element('tr', {}, ...['Address', 'Node', 'Announce', 'Verdict'].map((text) => element('th', { scope: 'col' }, text)))),
    element('tbody', {}, ...rows));
}

function addressText(address) {
  const parts = [element('span', { class: 'address' }, address.address)];
  if (address.pool) parts.push(` from pool ${address.pool}`);
  parts.push(owner(address) ? `, announced from ${owner(address)}` : ', announced by nobody');
  if (address.problem) parts.push(`; BGP: ${address.problem}`);
  if (address.station) parts.push(`; another machine has it: ${address.station}, found by ${address.foundBy}`);
  return element('div', {}, ...parts);
}

function detailOf(service) {
  const condition = service.condition;
  const history = known.entries.filter((entry) => entry.service === `${service.namespace}/${service.name}`).slice(-10).reverse();
  return [
    facts([
      ['Health', state(HEALTH[service.health])],
      ['Addresses', service.addresses.length ? service.addresses.map(addressText) : 'none'],
      ['Ports', service.ports.map((port) => `${port.port}/${port.protocol}`).join(', ')],
      ['Traffic policy', service.trafficPolicy],
      ['Class', service.class],
      ['Endpoints', `${service.ready} ready of ${service.endpoints}`],
      ['Condition', condition ? `${condition.reason}: ${condition.message}` : 'none yet'],
    ]),
    ...(service.verdicts.length ? [element('h3', {}, 'Nodes'), verdictTable(service)] : []),
    ...(history.length ? [element('h3', {}, 'Lately'), element('ol', { class: 'events' }, ...history.map((entry) => eventItem(entry, false)))] : []),
    element('p', { class: 'quiet' }, 'The whole story: ',
      element('code', {}, `kubectl -n ${service.namespace} describe service ${service.name}`)),
  ];
}

async function showDetail() {
  const key = fragment().get('service');
  const dialog = $('detail');
  if (!key) {
    if (dialog.open) dialog.close();
    return;
  }
  const at = key.indexOf('/');
  const service = await ask('service', { namespace: key.slice(0, at), name: key.slice(at + 1) });
  if (fragment().get('service') !== key) return;
  $('detail-title').textContent = key;
  $('detail-body').replaceChildren(...(service ? detailOf(service) : [element('p', {}, 'There is no such Service, or it is none of Herald’s.')]));
  if (!dialog.open) dialog.showModal();
}

/* The keyboard goes back to where it was, be it that the rows were drawn anew meanwhile. */
function closed() {
  const key = $('detail-title').textContent;
  go({ service: '' });
  if (document.activeElement === document.body || $('detail').contains(document.activeElement)) {
    [...document.querySelectorAll('#rows a')].find((a) => a.dataset.service === key)?.focus();
  }
}

/* ---- following ---- */

function drawFilters() {
  const wanted = fragment();
  for (const id of ['q', 'namespace', 'events']) {
    if (document.activeElement !== $(id) || id === 'events') $(id).value = wanted.get(id) || '';
  }
  for (const heading of document.querySelectorAll('[data-sort]')) {
    const isChosen = (wanted.get('sort') || 'health') === heading.dataset.sort;
    if (isChosen) heading.setAttribute('aria-sort', wanted.get('order') === 'desc' ? 'descending' : 'ascending');
    else heading.removeAttribute('aria-sort');
  }
}

/* The fragment has changed: draw what it says. */
function follow() {
  drawFilters();
  drawSummary();
  drawTimeline(known.last);
  Promise.all([showServices(), showDetail()]).catch(lost);
}

function lost(error) {
  $('live').className = 'lost';
  $('live').textContent = `No answer from Herald: ${error.message}. Trying again.`;
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function shown() {
  if (!document.hidden) return;
  $('live').className = 'paused';
  $('live').textContent = 'Paused';
  await new Promise((resolve) => { document.addEventListener('visibilitychange', resolve, { once: true }); });
  return shown();
}

async function run() {
  for (;;) {
    try {
      await shown();
      const answer = await ask('timeline', { after: known.last, revision: known.revision, wait: known.revision ? WAIT_S : 0 });
      if (answer.last < known.last) Object.assign(answer, await ask('timeline', { after: 0 }));
      takeTimeline(answer);
      if (answer.revision !== known.revision) await Promise.all([showSummary(), showServices(), showDetail()]);
      known.revision = answer.revision;
      $('live').className = '';
      if ($('live').textContent !== 'Live') $('live').textContent = 'Live';
      await pause(PAUSE_MS);
    } catch (error) {
      lost(error);
      await pause(RETRY_MS);
    }
  }
}

function listen() {
  for (const id of ['q', 'namespace']) {
    $(id).addEventListener('input', () => {
      clearTimeout(known.typing);
      known.typing = setTimeout(() => go({ [id]: $(id).value.trim(), page: '' }, true), 150);
    });
  }
  for (const id of ['pool', 'node']) $(id).addEventListener('change', () => go({ [id]: $(id).value, page: '' }));
  $('events').addEventListener('change', () => go({ events: $('events').value }));
  $('filters').addEventListener('submit', (event) => event.preventDefault());
  for (const heading of document.querySelectorAll('[data-sort]')) {
    heading.firstElementChild.addEventListener('click', () => {
      const isTurned = heading.getAttribute('aria-sort') === 'ascending';
      go({ sort: heading.dataset.sort, order: isTurned ? 'desc' : '', page: '' });
    });
  }
  $('clear').addEventListener('click', (event) => {
    event.preventDefault();
    $('q').value = $('namespace').value = '';
    go(Object.fromEntries(FILTERS.map((key) => [key, ''])));
  });
  $('skip').addEventListener('click', (event) => {
    event.preventDefault();
    $('services-title').focus();
  });
  $('more').addEventListener('click', () => {
    known.shown += ENTRIES;
    drawTimeline(known.last);
  });
  $('detail').addEventListener('close', closed);
  document.addEventListener('keydown', (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey || $('detail').open) return;
    event.preventDefault();
    $('q').focus();
  });
  window.addEventListener('hashchange', follow);
}

listen();
drawFilters();
run();
