// Writes a workbook as SheetJS does, byte for byte what crm_assets/sandbox/workbooks.py writes for the same cells.

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n';
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const ZIP_VERSION = 20;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

let parts;

// The parts that never change, as [name, text] in the order of the archive.
export async function loadParts() {
  if (!parts) {
    const manifest = await (await fetch("/sheetjs/manifest.json")).json();
    parts = await Promise.all(manifest.map(async ([name, source]) => [name, await (await fetch(`/sheetjs/${source}`)).text()]));
  }
  return parts;
}

export function workbook(staticParts, title, headers, rows) {
  const cells = [headers, ...rows];
  const area = `A1:${columnName(headers.length - 1)}${cells.length}`;
  const sheet = cells.map((row, index) => rowXml(index + 1, row)).join("");
  const fill = { title, area, rows: sheet };
  const filled = staticParts.map(([name, text]) => [name, DECLARATION + text.replace(/\{\{(\w+)\}\}/g, (_, word) => fill[word])]);
  return zipped(filled);
}

function columnName(index) {
  const ahead = Math.floor(index / 26);
  return (ahead ? columnName(ahead - 1) : "") + String.fromCharCode(65 + (index % 26));
}

function cellXml(place, value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return `<c r="${place}"><v>${value}</v></c>`;
  const keep = /^\s|\s$|\n/.test(value) ? ' xml:space="preserve"' : "";
  return `<c r="${place}" t="str"><v${keep}>${value.replace(/[&<>"']/g, (sign) => ENTITIES[sign])}</v></c>`;
}

function rowXml(number, row) {
  return `<row r="${number}">${row.map((value, index) => cellXml(`${columnName(index)}${number}`, value)).join("")}</row>`;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

// Little-endian fields of two or four bytes: [size, value].
function packed(fields) {
  const bytes = new DataView(new ArrayBuffer(fields.reduce((length, [size]) => length + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) bytes.setUint16(at, value, true);
    else bytes.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(bytes.buffer);
}

// Stored, no flags, a date and time of zero; then checksum, both sizes and the length of the name.
function entryFields(name, content) {
  return [[2, ZIP_VERSION], [2, 0], [2, 0], [2, 0], [2, 0], [4, crc32(content)], [4, content.length], [4, content.length], [2, name.length], [2, 0]];
}

function zipped(texts) {
  const encoder = new TextEncoder();
  const files = [];
  const directory = [];
  let offset = 0;
  for (const [path, text] of texts) {
    const name = encoder.encode(path);
    const content = encoder.encode(text);
    const fields = entryFields(name, content);
    const head = packed([[4, LOCAL_HEADER], ...fields]);
    files.push(head, name, content);
    directory.push(packed([[4, DIRECTORY_HEADER], [2, 0], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), name);
    offset += head.length + name.length + content.length;
  }
  const size = directory.reduce((length, piece) => length + piece.length, 0);
  const count = texts.length;
  const end = packed([[4, DIRECTORY_END], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]]);
  return new Blob([...files, ...directory, end]);
}
