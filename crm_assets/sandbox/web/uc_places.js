// Where a browser keeps things for the panel. What is kept there is the pages' affair.

const DATABASE = "uclean-panel";
const TABLE = "kept";

const storage = (place) => ({
  get: (key) => place.getItem(key),
  keep: (key, value) => place.setItem(key, value),
  drop: (key) => place.removeItem(key),
});

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function inDatabase(mode, ask) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await settled(opening);
  const answer = await settled(ask(database.transaction(TABLE, mode).objectStore(TABLE)));
  database.close();
  return answer;
}

export const places = {
  local: storage(localStorage),
  session: storage(sessionStorage),
  indexed: {
    get: (key) => inDatabase("readonly", (table) => table.get(key)),
    keep: (key, value) => inDatabase("readwrite", (table) => table.put(value, key)),
    drop: (key) => inDatabase("readwrite", (table) => table.delete(key)),
  },
};
