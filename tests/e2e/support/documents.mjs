/* What the documents show, for end-to-end tests. */
export { snippet } from '../../docs/documents.mjs';
