'use strict';
// Shows a run. All text of the run goes into the page as text nodes, never as markup.
(() => {
  const data = JSON.parse(document.getElementById('run').textContent);
  const { report } = data;
  // What a phase is about: each has a colour and a pattern in the style sheet.
  const KINDS = new Map([
    ['environment', 'configure'], ['before-build', 'configure'], ['configure', 'configure'],
    ['build', 'compile'], ['compile', 'compile'], ['link', 'link'],
    ['repair', 'check'], ['audit', 'check'], ['test', 'test'],
  ]);
  const kindOf = (phase) => KINDS.get(phase) || 'prepare';
  const RESULTS = { d: 'direct hit', p: 'preprocessed hit', m: 'miss', u: 'uncacheable', '-': 'not compiled' };
  const WORDS = { built: 'built', reused: 'reused', resumed: 'resumed', failed: 'failed', 'not-run': 'not run' };
  const UNPROVEN = ['miss', 'not-invoked', 'unusable'];

  // What could move, hide or reorder what stands beside it is written out.
  const ESCAPES = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  const plain = (text) => String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (c) => ESCAPES[c] || `\\u{${c.codePointAt(0).toString(16)}}`);

  function el(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
    }
    for (const child of children.flat()) {
      if (child !== null && child !== undefined) made.append(child instanceof Node ? child : plain(child));
    }
    return made;
  }
  // Text of the run among words of the page.
  const name = (text) => el('span', { class: 'name' }, text);
  const code = (text) => el('code', {}, text);

  const isKnown = (value) => value !== null && value !== undefined;
  function duration(seconds) {
    if (!isKnown(seconds)) return '-';
    if (seconds < 60) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    const two = (number) => String(number).padStart(2, '0');
    return whole < 3600
      ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
      : `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  }
  // Never rounded up: 166 of 167 must not read as all.
  const percent = (share) => isKnown(share) ? `${(Math.floor(share * 1000) / 10).toFixed(1)} %` : '-';
  function size(bytes) {
    if (!isKnown(bytes)) return '-';
    return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }
  const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;

  const scrolling = (label, ...children) =>
    el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, ...children);
  function table(caption, heads, rows) {
    const head = heads.map(([text, kind]) => el('th', { scope: 'col', class: kind }, text));
    const body = rows.map((row) => el('tr', {}, row.map((cell, i) =>
      i === 0 ? el('th', { scope: 'row' }, cell) : el('td', { class: heads[i][1] }, cell))));
    return scrolling(caption, el('table', {}, el('caption', {}, caption),
      el('thead', {}, el('tr', {}, head)), el('tbody', {}, body)));
  }
  const legend = (entries) => el('ul', { class: 'legend' }, entries.map(([colour, text]) =>
    el('li', {}, el('i', { class: colour }), text)));

  const main = document.getElementById('main');
  const parts = el('ul');
  document.getElementById('parts').append(parts);
  function section(id, title, ...children) {
    main.append(el('section', { id, 'aria-labelledby': `${id}-title` },
      el('h2', { id: `${id}-title` }, title), ...children));
    parts.append(el('li', {}, el('a', { href: `#${id}` }, title)));
  }

  // ---- In words ----
  function verdict() {
    const all = report.builds.length;
    const wheels = report.builds.filter((b) => ['built', 'reused', 'resumed'].includes(b.outcome)).length;
    if (report.outcome !== 'done') {
      const some = `${wheels} of ${count(all, 'wheel')} built`;
      if (report.outcome === 'failed') return [`${some}; the run failed.`, 'bad'];
      if (report.outcome === 'interrupted') return [`${some}; the run was interrupted.`, 'warn'];
      return [`${some}; the run did not finish.`, 'warn'];
    }
    const verdicts = report.builds.map((b) => (b.cache ? b.cache.verdict : ''));
    const unproven = verdicts.filter((it) => UNPROVEN.includes(it)).length;
    const done = all === 1 ? 'The wheel is built' : `All ${count(all, 'wheel')} are built`;
    if (unproven) return [`${done}, but the cache did not prove itself in ${count(unproven, 'build')}.`, 'warn'];
    return [verdicts.includes('hit') ? `${done}, and the cache proved itself.` : `${done}.`, 'good'];
  }

  function words() {
    const [text, kind] = verdict();
    const heading = document.getElementById('verdict');
    heading.textContent = text;
    heading.className = kind;
    document.title = `${plain(report.package)}: ${text}`;
    document.getElementById('package').append(name(report.package), ', run ', name(report.run_id));
    const jobs = report.jobs === 1 ? 'one at a time' : `${report.jobs} at once`;
    const proven = report.builds.filter((b) => b.cache && b.cache.passed).length;
    const colds = report.builds.filter((b) => b.cache && b.cache.verdict === 'cold').length;
    const rate = isKnown(data.hit_rate) ? ` ${percent(data.hit_rate)} of all compilations came from the cache.` : '';
    const cold = colds ? ` ${count(colds, 'build')} started from an empty cache.` : '';
    document.getElementById('about').textContent =
      `${duration(report.elapsed_seconds)}, ${jobs}; ${proven} of ${count(report.builds.length, 'build')} passed the check of the cache.${rate}${cold}`;
    if (data.containerless) document.getElementById('about').append(el('br'), el('strong', {}, data.containerless));
    document.getElementById('made').append('Started ', name(report.started), '. Made by Warmwheel; again: ', code(report.command));
  }

  function failures() {
    const failed = report.builds.filter((b) => b.failure);
    if (!failed.length) return;
    section('failures', 'What failed', failed.map(({ identifier, failure, log }) => {
      const tail = (failure.tail || []).map(plain).join('\n');
      const said = el('pre', { tabindex: '0', role: 'region', 'aria-label': `Log of ${plain(identifier)}` });
      said.textContent = tail;
      return el('div', { class: 'failure' },
        el('p', {}, el('strong', { class: 'name' }, identifier), ': ', name(failure.what)),
        tail ? said : null,
        failure.remedy ? el('p', {}, el('strong', {}, 'What to do: '), name(failure.remedy)) : null,
        failure.unproven ? el('p', {}, 'Its wheel is kept: ', code(failure.unproven)) : null,
        el('p', {}, 'The whole log: ', code(log)),
        el('p', {}, 'This build again: ', code(`${report.command} --only ${identifier}`)));
    }));
  }

  // ---- When ----
  const hasBegun = (b) => b.elapsed_seconds > 0 || b.started_seconds > 0 || b.phases.length > 0;
  const hasEnded = (b) => b.elapsed_seconds > 0 || b.outcome !== 'not-run';
  const end = (b) => (hasEnded(b) ? b.started_seconds + b.elapsed_seconds : report.elapsed_seconds);
  // The last phase of a build that has not ended goes on.
  const phases = (b) => b.phases.map((phase, i) => ({
    name: phase.name, from: phase.started_seconds,
    to: !hasEnded(b) && i === b.phases.length - 1 ? end(b) : phase.started_seconds + phase.elapsed_seconds,
  }));

  function axis(whole, at) {
    const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200];
    const step = steps.find((it) => whole / it <= 6) || whole / 4;
    const short = (s) => (s < 60 || s % 60 ? `${Math.round(s)} s` : s % 3600 ? `${s / 60} min` : `${s / 3600} h`);
    const marks = [], labels = [];
    for (let s = 0; s <= whole * 0.97; s += step) {
      const mark = el('div', { class: 'tick' }), label = el('span', {}, short(s));
      mark.style.left = label.style.left = `${at(s)}%`;
      marks.push(mark);
      labels.push(label);
    }
    return [marks, el('div', { class: 'axis', 'aria-hidden': 'true' }, labels)];
  }

  function timeline() {
    const ran = report.builds.filter(hasBegun);
    if (!ran.length) return;
    const whole = Math.max(report.elapsed_seconds, 0.001);
    const at = (seconds) => (100 * Math.min(Math.max(seconds, 0), whole)) / whole;
    const [marks, scale] = axis(whole, at);
    const labels = el('div', { class: 'rows labels' }), times = el('div', { class: 'rows times' });
    const bars = el('div', { class: 'bars', 'aria-hidden': 'true' }, marks);
    bars.style.setProperty('--rows', ran.length);
    ran.forEach((build, row) => {
      const isCritical = data.critical.includes(build.identifier);
      labels.append(el('span', { class: isCritical ? 'critical' : null, title: plain(build.identifier) }, build.identifier));
      times.append(el('span', {}, hasEnded(build) ? duration(build.elapsed_seconds) : 'unfinished'));
      const bar = (from, to, look, title) => {
        const made = el('div', { class: `bar ${look}`, title: plain(title) });
        made.style.left = `${at(from)}%`;
        made.style.width = `${at(to) - at(from)}%`;
        made.style.setProperty('--at', row);
        bars.append(made);
      };
      const its = phases(build);
      const told = (phase) => `${build.identifier}, ${phase.name}: ${duration(phase.to - phase.from)}`;
      const edge = isCritical ? ' edge' : '';
      bar(build.started_seconds, end(build), `k-prepare${edge}`, `${build.identifier}, start-up and the rest`);
      for (const phase of its) bar(phase.from, phase.to, `k-${kindOf(phase.name)}`, told(phase));
      const pioneer = ran.findIndex((other) => other.identifier === build.waited_for);
      if (pioneer >= 0) {
        const wait = el('div', { class: 'wait' });
        wait.style.left = `${at(build.started_seconds)}%`;
        wait.style.setProperty('--at', Math.min(pioneer, row));
        wait.style.setProperty('--down', Math.abs(row - pioneer));
        bars.append(wait);
      }
    });
    const seen = [...new Set(ran.flatMap((b) => phases(b).filter((p) => p.to > p.from).map((p) => p.name)))];
    const kinds = [...new Set(seen.map(kindOf))];
    const of = (build, phase) => {
      const sum = phases(build).filter((p) => p.name === phase).reduce((all, p) => all + p.to - p.from, 0);
      return sum ? duration(sum) : '-';
    };
    section('timeline', 'Timeline',
      el('p', { class: 'soft' }, 'Outlined and in bold: the critical path, which decided when the run ended. A dashed line leads from a pioneer, which had to compile first, to the builds that waited for it.'),
      el('div', { class: ran.length > 12 ? 'timeline dense' : 'timeline' }, labels, bars, times, scale),
      legend(kinds.map((kind) => [`k-${kind}`, seen.filter((it) => kindOf(it) === kind).join(', ')])),
      el('details', {}, el('summary', {}, 'As a table'),
        table('Phases of each build', [['build'], ['waited for'], ['started after', 'number'], ...seen.map((it) => [it, 'number']), ['in all', 'number']],
          ran.map((b) => [b.identifier, b.waited_for || '-', duration(b.started_seconds), ...seen.map((it) => of(b, it)),
            hasEnded(b) ? duration(b.elapsed_seconds) : 'unfinished']))));
  }

  // ---- What the cache did ----
  const KEYS = [['direct_hits', 'direct'], ['preprocessed_hits', 'preprocessed'], ['misses', 'missed'], ['uncacheable', 'uncacheable']];
  function hits() {
    const bar = (cache) => {
      const sum = cache ? KEYS.reduce((all, [key]) => all + (cache[key] || 0), 0) : 0;
      if (!sum) return '-';
      return el('div', { class: 'hits', 'aria-hidden': 'true' }, KEYS.map(([key, word]) => {
        const piece = el('div', { class: `h-${word}` });
        piece.style.width = `${(100 * (cache[key] || 0)) / sum}%`;
        return piece;
      }));
    };
    const rows = report.builds.map((b) => {
      const c = b.cache || {};
      const remarks = [c.audited_on_host && 'judged on the host', c.suspicious, b.note].filter(Boolean);
      return [b.identifier, b.role, c.verdict || WORDS[b.outcome] || b.outcome, bar(b.cache),
        ...KEYS.map(([key]) => (isKnown(c[key]) ? c[key] : '-')), percent(c.hit_rate), remarks.join('; ')];
    });
    const heads = [['build'], ['role'], ['verdict'], ['share'], ...KEYS.map(([, word]) => [word, 'number']), ['hits', 'number'], ['remarks', 'wide']];
    if (rows.every((row) => !row[heads.length - 1])) heads.pop();
    section('cache', 'What the cache did',
      table('Compilations of the package, per version', heads, rows.map((row) => row.slice(0, heads.length))),
      legend([['h-direct', 'direct hits'], ['h-preprocessed', 'preprocessed hits'], ['h-missed', 'misses'], ['h-uncacheable', 'uncacheable']]));
  }

  // ---- Each file ----
  function files() {
    const domains = data.domains.filter((d) => d.files.length);
    if (!domains.length) return;
    const state = { domain: 0, text: '', result: '', column: 'file', down: true };
    const holder = scrolling('Results per file');
    const told = el('p', { class: 'soft', role: 'status' });
    function rows() {
      const { files: names, builds } = domains[state.domain];
      const wanted = state.text.toLowerCase();
      // Names are found and sorted as they are shown.
      let list = names.map((file, i) => ({ file: plain(file), results: builds.map((b) => b.results[i] || '-') }));
      list = list.filter((f) => f.file.toLowerCase().includes(wanted) && (!state.result || f.results.includes(state.result)));
      const order = 'mupd-';
      const key = state.column === 'file' ? (f) => f.file : (f) => order.indexOf(f.results[state.column]);
      list.sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const by = x < y ? -1 : x > y ? 1 : a.file < b.file ? -1 : 1;
        return state.down ? by : -by;
      });
      return list;
    }
    function show() {
      const { files: names, builds } = domains[state.domain];
      const head = (text, full, column) => {
        const sorted = state.column === column ? (state.down ? 'ascending' : 'descending') : 'none';
        return el('th', { scope: 'col', 'aria-sort': sorted }, el('button', { type: 'button', title: plain(full), onclick: () => {
          state.down = state.column === column ? !state.down : true;
          state.column = column;
          show();
          holder.querySelectorAll('th button')[column === 'file' ? 0 : column + 1].focus();
        } }, text));
      };
      const list = rows();
      const body = el('tbody');
      for (const { file, results } of list) {
        const row = el('tr', {}, el('th', { scope: 'row', class: 'mono' }, file));
        for (const result of results) row.append(el('td', { class: `r-${result}` }, RESULTS[result]));
        body.append(row);
      }
      holder.replaceChildren(el('table', {}, el('thead', {}, el('tr', {}, head('file', 'Sort by name', 'file'),
        builds.map((b, i) => head(b.identifier.split('-')[0], `Sort by the results of ${b.identifier}`, i)))), body));
      told.textContent = `${list.length} of ${count(names.length, 'file')}`;
    }
    const choose = (id, label, options, change) => el('label', {}, label,
      el('select', { id, onchange: (event) => { change(event.target.value); show(); } },
        options.map(([value, text]) => el('option', { value }, text))));
    section('files', 'Each file',
      el('div', { class: 'controls' },
        domains.length > 1 ? choose('domain', 'Cache domain', domains.map((d, i) => [i, d.name]), (value) => { state.domain = Number(value); state.column = 'file'; state.down = true; }) : null,
        el('label', {}, 'Name contains', el('input', { type: 'search', id: 'filter', oninput: (event) => { state.text = event.target.value; show(); } })),
        choose('result', 'With this result in a build', [['', 'any'], ...Object.entries(RESULTS)], (value) => { state.result = value; })),
      told, holder);
    show();
  }

  function wheels() {
    const rows = report.builds.filter((b) => b.wheel).map((b) => {
      const file = b.wheel.split(/[\\/]/).pop();
      const tags = file.replace(/\.whl$/, '').split('-').slice(-3).join('-');
      return [code(file), code(tags), size(b.size_bytes), code(b.sha256 || '-')];
    });
    if (rows.length) section('wheels', 'Wheels', table('Finished wheels', [['wheel'], ['tags'], ['size', 'number'], ['SHA-256']], rows));
  }

  function settings() {
    if (!data.settings.length) return;
    const rows = data.settings.map((s) => [code(s.option), code(s.ours), code(s.theirs || '-'), s.origin || "cibuildwheel's default"]);
    section('settings', "What was added to the package's settings", table('Options that carry something of Warmwheel, in the first build', [['option'], ['added'], ["the package's own"], ['which came from']], rows));
  }

  function comparison() {
    const before = data.previous;
    if (!before) return;
    const was = new Map(before.builds.map((b) => [b.identifier, b]));
    const rows = report.builds.map((b) => {
      const old = was.get(b.identifier) || {};
      const rate = b.cache ? b.cache.hit_rate : null;
      return [b.identifier, duration(old.elapsed_seconds), duration(b.elapsed_seconds), percent(old.hit_rate), percent(rate), size(old.size_bytes), size(b.size_bytes)];
    });
    section('before', 'Compared with the run before',
      el('p', {}, 'Run ', name(before.run_id), ', started ', name(before.started), `: ${duration(before.elapsed_seconds)} in all, and ${duration(report.elapsed_seconds)} now.`),
      table('Each build then and now', [['build'], ['time then', 'number'], ['now', 'number'], ['hits then', 'number'], ['now', 'number'], ['wheel then', 'number'], ['now', 'number']], rows));
  }

  words();
  failures();
  timeline();
  hits();
  files();
  wheels();
  settings();
  comparison();
})();
