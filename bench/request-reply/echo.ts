import type { BytesService, Service } from "../../dist/protocols/index.js";

/** Gives back what it gets, as bytes that nobody looks into. */
export const echoBytes: BytesService<null, "echo"> = {
  name: "echo-bytes",
  methods: ["echo"],
  parameters: [],
  initial: null,
  payload: "bytes",
  check: () => undefined,
  handle: (state, _method, args) => ({ state, value: args }),
};

/** Gives back what it gets, as plain data. */
export const echoObject: Service<null, "echo"> = {
  name: "echo-object",
  methods: ["echo"],
  parameters: [],
  initial: null,
  check: () => undefined,
  handle: (state, _method, args) => ({ state, value: args }),
};

/** What a call of some service carries: four fields, 40 bytes as MessagePack. */
export const record = { id: 123_456, name: "Ana Lovelace", amount: 12.5, open: true };
