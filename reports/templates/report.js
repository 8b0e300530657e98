(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)], root = document.documentElement;
  root.classList.add('js');
  const data = JSON.parse(document.getElementById('series').textContent);

  // One step drives every slider, the panels' values and the images.
  const digits = value => value === null || value === undefined ? '–' : (+value.toPrecision(3)).toString().replace('-', '−');
  const nearest = (steps, step) => steps.reduce((best, s, i) => Math.abs(s - step) < Math.abs(steps[best] - step) ? i : best, 0);
  function read(panel, step) {
    const entry = data.panels[panel.dataset.panel];
    if (!entry) return;
    const [x0, x1, low, high] = entry.reads, x = x0 + (x1 - x0) * (step - low) / (high - low || 1);
    const cursor = panel.querySelector('.cursor');
    cursor.setAttribute('x1', x); cursor.setAttribute('x2', x); cursor.removeAttribute('visibility');
    const at = series => { const i = nearest(series.steps, step); return Math.abs(series.steps[i] - step) <= entry.reach ? series.values[i] : null; };
    const [first, ...rest] = entry.series, others = rest.map(at).filter(v => v !== null);
    panel.querySelector('output').textContent = entry.list
      ? entry.series.slice(0, 3).map(s => `${s.label} ${digits(at(s))}`).join(', ')
      : `${first.label} ${digits(at(first))}` + (others.length ? `, seeds ${digits(Math.min(...others))} to ${digits(Math.max(...others))}` : '');
  }
  function show(step) {
    for (const input of all('.step')) {
      const steps = JSON.parse(input.dataset.steps), i = nearest(steps, step);
      input.value = i; input.setAttribute('aria-valuetext', 'step ' + steps[i]);
      document.querySelector(`label[for="${input.id}"]`).textContent = 'Step ' + steps[i];
    }
    for (const panel of all('[data-panel]')) read(panel, step);
    for (const grid of all('[data-grid]')) {
      const i = nearest(JSON.parse(grid.dataset.steps), step);
      grid.style.setProperty('--s', i);
      for (const line of all('[data-under]', grid)) line.textContent = JSON.parse(line.dataset.under)[i];
    }
  }
  for (const input of all('.step')) input.addEventListener('input', () => show(JSON.parse(input.dataset.steps)[+input.value]));
  for (const panel of all('[data-panel]')) panel.querySelector('svg').addEventListener('pointermove', event => {
    const entry = data.panels[panel.dataset.panel], box = event.currentTarget.getBoundingClientRect();
    const [x0, x1, low, high] = entry.reads, x = (event.clientX - box.left) / box.width * entry.width;
    show(low + (high - low) * Math.min(Math.max((x - x0) / (x1 - x0), 0), 1));
  });
  if (data.last !== null) show(data.last);

  // Layers of the curves.
  for (const box of all('[data-layer]')) box.addEventListener('change', () => {
    for (const part of all('.l-' + box.dataset.layer, box.closest('figure'))) part.style.display = box.checked ? '' : 'none';
  });

  // Tables: sort by a column, filter by words and by levels.
  for (const table of all('table.sortable')) for (const button of all('thead button', table)) button.addEventListener('click', () => {
    const head = button.closest('th'), column = [...head.parentNode.children].indexOf(head);
    const down = head.getAttribute('aria-sort') === 'ascending', body = table.tBodies[0];
    for (const other of head.parentNode.children) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const key = row => row.children[column].dataset.v ?? '';
    const order = (a, b) => {
      const x = key(a), y = key(b);
      if (x === '' || y === '') return (x === '') - (y === '');
      const numbers = !isNaN(x) && !isNaN(y);
      return (down ? -1 : 1) * (numbers ? x - y : x.localeCompare(y));
    };
    body.append(...[...body.rows].sort(order));
  });
  for (const tools of all('[data-filters]')) {
    const table = document.getElementById(tools.dataset.filters), rows = [...table.tBodies[0].rows];
    const search = tools.querySelector('input'), selects = all('select', tools), count = tools.querySelector('output');
    const apply = () => {
      const text = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = selects.every(s => !s.value || row.children[+s.dataset.column].dataset.f === s.value);
        row.hidden = !(fits && row.textContent.toLowerCase().includes(text));
        shown += !row.hidden;
      }
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    search.addEventListener('input', apply);
    selects.forEach(select => select.addEventListener('change', apply));
    apply();
  }

  // Copy a command; without the clipboard, select it.
  document.addEventListener('click', async event => {
    if (!event.target.matches('.copy')) return;
    const text = event.target.parentNode.querySelector('code');
    try { await navigator.clipboard.writeText(text.textContent); event.target.textContent = 'copied'; }
    catch { getSelection().selectAllChildren(text); }
  });

  const theme = document.getElementById('theme');
  theme.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  // A click on a tile shows its column with the first ones, as large as fits.
  const zoom = document.getElementById('zoom');
  for (const button of all('.grid .win')) button.addEventListener('click', () => {
    const grid = button.closest('.grid'), column = +button.closest('.tile').dataset.col;
    const side = parseInt(grid.style.getPropertyValue('--px')), copy = zoom.querySelector('.grid');
    const kept = [...new Set([0, 1, column])].filter(c => c <= column).sort((a, b) => a - b);
    const room = Math.min(innerWidth * .9 / kept.length - 24, innerHeight * .9 / 3 - 60);
    copy.className = grid.className; copy.style.cssText = grid.style.cssText;
    copy.style.setProperty('--w', side * Math.max(1, Math.floor(room / side)) + 'px');
    copy.style.setProperty('--n', kept.length);
    const tiles = grid.querySelector('.tiles').cloneNode(true), heads = all('.head', tiles);
    heads.forEach((head, c) => kept.includes(c) || head.remove());
    all('.tile', tiles).forEach(tile => kept.includes(+tile.dataset.col) || tile.remove());
    copy.replaceChildren(tiles);
    zoom.showModal();
  });
  zoom.addEventListener('click', () => zoom.close());

  // A phone folds what is long; a link opens what it leads to.
  if (matchMedia('(max-width: 760px)').matches) all('details.phone').forEach(fold => fold.open = false);
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let fold = target && target.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  if (location.hash) reveal();
  addEventListener('beforeprint', () => all('details:not(.screen)').forEach(fold => fold.open = true));

  const seen = new IntersectionObserver(entries => entries.forEach(entry => entry.isIntersecting && all('nav a').forEach(a =>
    a.getAttribute('href') === '#' + entry.target.id ? a.setAttribute('aria-current', 'true') : a.removeAttribute('aria-current'))),
  {rootMargin: '-20% 0px -70% 0px'});
  all('section').forEach(section => seen.observe(section));
})();
