/** What the documents show: the text below `<!-- snippet: NAME -->`, and tables by their columns. */
export { snippet, table } from '../../../tests/docs/documents.mjs';
