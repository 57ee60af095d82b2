/* For TypeScript: see documents.mjs. */
export interface Block {
  readonly path: string;
  readonly line: number;
  readonly language: string;
  readonly name?: string;
  readonly text: string;
}
export function blocks(): Block[];
export function snippet(name: string): string;
export function table(...columns: string[]): string[][];
