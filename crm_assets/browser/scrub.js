// Takes out of the live page what no picture may show, and returns a copy of its HTML without what no file may hold.
// Runs in every frame, in a world of its own, while the page's scripts stand still. Says how many places it masked: a second
// run over an unchanged page says 0. The patterns come from scrub.py; what a page is made of is decided here.

({ mark, words, random, labelled, largest }) => {
  const PERSONAL_HEADER = /name|customer|client|phone|mobile|whatsapp|\bph\b|address|e-?mail|gstin|contact|note|comment|remark/i;
  const PERSONAL_LABEL = /^\s*(?:customer|client|user ?name|full name|name|phone|mobile|whatsapp|contact|address|e-?mail|gstin)/i;
  const PERSON = "(?:user|cust|customer|client|consumer|guest|member|profile|account|login|logged-?in|display)";
  const PART = "(?:first|last|full)?[-_]?(?:name|phone|mobile|number|email|mail|address|gstin|contact)";
  const PERSONAL_CLASS = new RegExp(`(?:^|[^a-z])${PERSON}[-_]*${PART}|(?:lbl|txt|spn)${PERSON}|mat-column-${PART}`, "i");
  const SECRET_NAME = /token|csrf|xsrf|secret|session|passw|api-?_?key|nonce|viewstate/i;

  const compiled = (rules) => rules.map((rule) => new RegExp(rule, "gi"));
  const plain = compiled(words);
  const all = [...plain, ...compiled(random)];
  const prose = [...all, ...compiled(labelled)];

  const INLINE = new Set(
    ("A ABBR B BDI BDO CITE CODE DATA DEL DFN EM FONT I INS KBD LABEL MARK NOBR Q S SAMP SMALL SPAN STRONG SUB SUP TIME TT U"
      + " VAR WBR").split(" "),
  );
  const MUTE = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "TEXTAREA", "OPTION"]);
  const WORDY_INPUTS = new Set(["submit", "button", "reset", "image", "checkbox", "radio"]);
  const GEOMETRY = new Set(["d", "points", "viewbox", "transform", "style", "width", "height", "x", "y", "r", "cx", "cy"]);
  const NAMES = new Set("id class name for type role headers autocomplete aria-labelledby aria-controls".split(" "));
  const TELLING = new Set("title alt aria-label href value content".split(" "));
  const ADDRESSES = new Set(
    ("href src action formaction data poster cite ping background longdesc manifest codebase archive usemap xlink:href lowsrc"
      + " srcdoc srcset imagesrcset xmlns xmlns:xlink").split(" "),
  );

  const MOST_ELEMENTS = 30_000;
  const LONGEST_TEXT = 200_000;

  let masked = 0;

  const clean = (text, rules) =>
    rules.reduce((left, rule) => left.replace(rule, (_, kept) => (typeof kept === "string" ? kept : "") + mark), text);

  const setText = (node, text) => {
    if (node.data === text) return;
    node.data = text;
    masked += 1;
  };

  // Through the node where there is one: setAttribute refuses names such as "@click" that a parser has let in.
  const setAttribute = (element, name, value) => {
    const attribute = element.getAttributeNode(name);
    if (attribute?.value === value) return;
    if (attribute) attribute.value = value;
    else element.setAttribute(name, value);
    masked += 1;
  };

  // Roots: the document and every open shadow root in it.
  const roots = (root) => [
    root,
    ...[...root.querySelectorAll("*")].flatMap((element) => (element.shadowRoot ? roots(element.shadowRoot) : [])),
  ];

  // What is beyond any page a person reads is dropped, so that the time this takes has an end.
  const drop = (root) => {
    const first = root.querySelectorAll("*")[MOST_ELEMENTS];
    if (!first) return;
    const rest = document.createRange();
    rest.setStartBefore(first);
    rest.setEndAfter(root.lastChild);
    rest.deleteContents();
    masked += 1;
  };

  // Whole elements: a customer's cell, a user's name.
  const textNodes = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found.filter((node) => !MUTE.has(node.parentElement?.tagName));
  };

  const isTelling = (name) => name.startsWith("data-") || TELLING.has(name);

  const hideElement = (element) => {
    for (const node of textNodes(element)) if (node.data.trim()) setText(node, mark);
    for (const each of [element, ...element.querySelectorAll("*")]) {
      for (const name of each.getAttributeNames()) if (isTelling(name) && each.getAttribute(name)) setAttribute(each, name, mark);
      if (each.shadowRoot) for (const child of each.shadowRoot.children) hideElement(child);
    }
  };

  // Fields.
  const hideInput = (field) => {
    if (WORDY_INPUTS.has(field.type)) return;
    if (field.type === "file") {
      if (field.value) field.value = "";
      return;
    }
    const isFilled = field.value || field.getAttribute("value") || field.matches(":autofill");
    if (!isFilled || (field.value === mark && field.getAttribute("value") === mark)) return;
    masked += 1;
    field.setAttribute("value", mark);
    field.value = mark;
    if (field.value === mark) return;
    field.type = "text"; // numbers and dates refuse the mark
    field.value = mark;
  };

  const hideTextarea = (field) => {
    if (!(field.value || field.defaultValue) || (field.value === mark && field.defaultValue === mark)) return;
    masked += 1;
    field.defaultValue = mark;
    field.value = mark;
  };

  const hideOption = (option) => {
    if (option.textContent.trim() && option.textContent !== mark) {
      option.textContent = mark;
      masked += 1;
    }
    for (const name of ["value", "label"]) if (option.getAttribute(name)) setAttribute(option, name, mark);
  };

  const hideFields = (root) => {
    root.querySelectorAll("input").forEach(hideInput);
    root.querySelectorAll("textarea").forEach(hideTextarea);
    root.querySelectorAll("option").forEach(hideOption);
    root.querySelectorAll("[contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox]").forEach(hideElement);
  };

  // Tables: which columns are personal is said by their headers, of this table or of the one just before it (split tables).
  const isHeader = (cell) => cell.tagName === "TH" || cell.getAttribute("role") === "columnheader";
  const isRowHeader = (cell) => cell.getAttribute("role") === "rowheader" || cell.getAttribute("scope") === "row";

  const cellsOf = (row) =>
    [...row.querySelectorAll("td, th, [role=cell], [role=gridcell], [role=columnheader], [role=rowheader]")].filter(
      (cell) => cell.closest("tr, [role=row]") === row,
    );

  // Each cell with the columns it covers; a cell of several rows moves the ones below it.
  const placed = (rows) => {
    const taken = new Map();
    return rows.map((row) => {
      let column = 0;
      return cellsOf(row).map((cell) => {
        const given = Number(cell.getAttribute("aria-colindex"));
        if (given) column = given - 1;
        while (taken.get(column) > 0) {
          taken.set(column, taken.get(column) - 1);
          column += 1;
        }
        const columns = Array.from({ length: cell.colSpan || 1 }, (_, offset) => column + offset);
        for (const each of columns) taken.set(each, (cell.rowSpan || 1) - 1);
        column += columns.length;
        return { cell, columns };
      });
    });
  };

  let columnsBefore = new Set();
  const hideTable = (table) => {
    const rows = [...table.querySelectorAll("tr, [role=row]")].filter(
      (row) => row.closest("table, [role=table], [role=grid], [role=treegrid]") === table,
    );
    const lines = placed(rows);
    const hasHeaders = lines.some((line) => line.some(({ cell }) => isHeader(cell)));
    const headers = hasHeaders ? lines.flat().filter(({ cell }) => isHeader(cell)) : (lines[0] ?? []);
    const named = headers.filter(({ cell }) => PERSONAL_HEADER.test(cell.textContent) && !isRowHeader(cell));
    const personal = new Set(named.flatMap(({ columns }) => columns));
    if (!hasHeaders && !personal.size) for (const column of columnsBefore) personal.add(column);
    columnsBefore = lines.every((line) => line.every(({ cell }) => isHeader(cell))) ? personal : new Set();
    const isWord = ({ cell }) => isHeader(cell) || named.some((header) => header.cell === cell);
    for (const line of lines) {
      const labels = line.filter(({ cell }) => isHeader(cell) || isRowHeader(cell));
      const isPersonalRow = labels.some(({ cell }) => PERSONAL_LABEL.test(cell.textContent));
      for (const place of line) {
        if (isWord(place)) continue;
        if (isPersonalRow || place.columns.some((column) => personal.has(column))) hideElement(place.cell);
      }
    }
  };

  const hidePeople = (root) => {
    root.querySelectorAll("table, [role=table], [role=grid], [role=treegrid]").forEach(hideTable);
    for (const cell of root.querySelectorAll("td[data-label], td[data-title], td[data-th]")) {
      const label = ["data-label", "data-title", "data-th"].map((name) => cell.getAttribute(name)).join(" ");
      if (PERSONAL_HEADER.test(label)) hideElement(cell);
    }
    for (const term of root.querySelectorAll("dt")) {
      const told = term.nextElementSibling;
      if (PERSONAL_LABEL.test(term.textContent) && told?.tagName === "DD") hideElement(told);
    }
    for (const element of root.querySelectorAll("[id], [class]")) {
      const said = `${element.id} ${element.getAttribute("class") ?? ""}`.replace(/([a-z])([A-Z])/g, "$1-$2");
      const isPlace = element.matches("html, body, main, form, table, input, th") || element.querySelector("form, table, main");
      if (PERSONAL_CLASS.test(said) && !isPlace) hideElement(element);
    }
  };

  // Running text: each piece alone, then what reads as one across <b> and its like.
  const cleanRun = (run) => {
    for (const node of run) setText(node, clean(node.data.slice(0, LONGEST_TEXT), prose));
    const whole = () => run.map((node) => node.data).join("");
    if (run.length > 1 && clean(whole(), prose) !== whole()) prose.forEach((rule) => cleanAcross(run, rule, whole()));
    run.length = 0;
  };

  const cleanAcross = (run, rule, text) => {
    for (const found of [...text.matchAll(rule)].reverse()) {
      hideSpan(run, found.index + (found[1] ?? "").length, found.index + found[0].length);
    }
  };

  const hideSpan = (run, start, end) => {
    let offset = 0;
    let left = mark;
    for (const node of run) {
      const length = node.data.length;
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, length);
      if (from < to) {
        setText(node, node.data.slice(0, from) + left + node.data.slice(to));
        left = "";
      }
      offset += length;
    }
  };

  const cleanText = (parent, run) => {
    for (const child of parent.childNodes) {
      if (child.nodeType === Node.TEXT_NODE || child.nodeType === Node.CDATA_SECTION_NODE) run.push(child);
      if (child.nodeType !== Node.ELEMENT_NODE || MUTE.has(child.tagName)) continue;
      const isInline = INLINE.has(child.tagName) || child.tagName.includes("-");
      if (!isInline) cleanRun(run);
      cleanText(child, run);
      if (!isInline) cleanRun(run);
    }
  };

  // Attributes that a style sheet could show. Those that load something are left alone here and shortened in the copy.
  const cleanAttribute = (element, name, value) => {
    if (GEOMETRY.has(name) || ADDRESSES.has(name)) return value;
    if (NAMES.has(name)) return clean(value, plain);
    const isNamedSecret = SECRET_NAME.test(name) || (name === "content" && SECRET_NAME.test(element.getAttribute("name") ?? ""));
    const isLoad = name.startsWith("data-") && (value.length > 200 || value.includes("{"));
    return isNamedSecret || isLoad ? mark : clean(value, all);
  };

  const cleanAttributes = (root) => {
    for (const element of root.querySelectorAll("*")) {
      for (const { name, value } of [...element.attributes]) {
        if (value && !name.startsWith("on")) setAttribute(element, name, cleanAttribute(element, name.toLowerCase(), value));
      }
    }
  };

  // The copy lives in a document that loads nothing and runs nothing.
  const shortAddress = (value) => {
    const scheme = /^\s*([a-z][a-z\d+.-]*):/i.exec(value)?.[1]?.toLowerCase();
    if (scheme && !["http", "https", "about"].includes(scheme)) return `${scheme}:${mark}`;
    return clean(value.replace(/[?#;][^]*$/, "").replace(/\/\/[^/]*@/, "//"), all);
  };

  const shortenAttribute = (element, attribute) => {
    const name = attribute.name.toLowerCase();
    const { value } = attribute;
    if (name.startsWith("on") || ["srcdoc", "srcset", "imagesrcset", "nonce", "integrity"].includes(name)) {
      element.removeAttributeNode(attribute);
    } else if (name === "style") {
      attribute.value = clean(value.replace(/url\([^)]*\)/g, "url()"), plain);
    } else if (name === "content" && element.matches("[http-equiv]")) {
      attribute.value = value.replace(/[?#][^]*$/, "");
    } else if (ADDRESSES.has(name) || /^\S*\?\S*$/.test(value) || /^(?:data|blob|javascript):/i.test(value)) {
      attribute.value = shortAddress(value);
    }
  };

  const copyOf = (root, inert) => {
    const copy = inert.createDocumentFragment();
    const children = [...root.childNodes].filter((child) => child.nodeType !== Node.DOCUMENT_TYPE_NODE);
    for (const child of children) copy.append(inert.importNode(child, true));
    const shadows = [...root.querySelectorAll("*")].map((element) => element.shadowRoot);
    const elements = [...copy.querySelectorAll("*")];
    const notes = inert.createTreeWalker(copy, NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_PROCESSING_INSTRUCTION);
    const dropped = [];
    while (notes.nextNode()) dropped.push(notes.currentNode);
    dropped.forEach((node) => node.remove());
    for (const element of elements) for (const attribute of [...element.attributes]) shortenAttribute(element, attribute);
    for (const element of copy.querySelectorAll("script, style, noscript, noembed, noframes, iframe")) element.textContent = "";
    for (const template of copy.querySelectorAll("template")) template.content.replaceChildren();
    shadows.forEach((shadow, index) => {
      if (!shadow) return;
      const template = inert.createElement("template");
      template.setAttribute("shadowrootmode", "open");
      template.content.append(copyOf(shadow, inert));
      elements[index].prepend(template);
    });
    return copy;
  };

  // Cut before a tag, so that no secret is cut in two and missed by the second pass.
  const written = () => {
    const inert = document.implementation.createHTMLDocument("");
    const holder = inert.createElement("div");
    holder.append(copyOf(document, inert));
    const html = holder.innerHTML;
    return html.length <= largest ? html : html.slice(0, html.lastIndexOf("<", largest));
  };

  for (const root of roots(document)) {
    drop(root);
    hideFields(root);
    hidePeople(root);
    cleanAttributes(root);
    const run = [];
    cleanText(root, run);
    cleanRun(run);
  }
  return { masked, html: largest ? written() : "" };
}
