/*
 * How TypeScript and JavaScript are written here. Style is checked and not laid out anew: tables and lists keep the
 * lines that their author gave them.
 */
import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import stylistic from '@stylistic/eslint-plugin';
import globals from 'globals';
import ts from 'typescript-eslint';

const top = fileURLToPath(new URL('../..', import.meta.url));

const LINE = { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true };

const style = {
  ...stylistic.configs.customize({ semi: true, indent: 2, arrowParens: true, braceStyle: '1tbs', commaDangle: 'never' }).rules,
  '@stylistic/quotes': ['error', 'single', { avoidEscape: true, allowTemplateLiterals: 'always' }],
  '@stylistic/quote-props': ['error', 'as-needed'],
  '@stylistic/operator-linebreak': ['error', 'after'],
  '@stylistic/multiline-ternary': 'off',
  '@stylistic/list-style': 'off',
  '@stylistic/max-len': ['error', LINE]
};

/* In cdk/ lists end with a comma, as in the CDK's own packages, whose names are long. */
const cdkStyle = {
  '@stylistic/comma-dangle': ['error', 'always-multiline'],
  '@stylistic/operator-linebreak': ['error', 'after', { overrides: { '?': 'before', ':': 'before' } }],
  '@stylistic/max-len': ['error', { ...LINE, code: 145 }]
};

/* Templates are JSON of any shape, and what the CDK hands out of them is `any`. */
const templates = {
  '@typescript-eslint/no-explicit-any': 'off',
  '@typescript-eslint/no-unnecessary-type-assertion': 'off', /* necessary with the oldest library's types */
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-call': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-return': 'off',
  '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }]
};

/* node:test waits for its tests by itself; a message of a failed test may show anything. */
const cdkTests = {
  '@typescript-eslint/no-base-to-string': 'off',
  '@typescript-eslint/no-implied-eval': 'off',
  '@typescript-eslint/no-unsafe-enum-comparison': 'off',
  '@typescript-eslint/no-floating-promises': ['error', {
    allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['describe', 'it', 'test', 'before', 'after'] }]
  }],
  '@typescript-eslint/restrict-template-expressions': 'off'
};

export default [
  { ignores: ['**/node_modules/', 'build/', 'cdk/cdk.out/', 'cdk/dist/', 'cdk/layer/', 'layer/dist/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' }, languageOptions: { globals: globals.node } },
  js.configs.recommended,
  { rules: { 'no-control-regex': 'off', 'no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_' }] } },
  { plugins: { '@stylistic': stylistic }, rules: style },
  { files: ['cdk/**'], rules: cdkStyle },
  ...ts.config({
    files: ['cdk/**/*.ts'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: 'cdk/tsconfig.json', tsconfigRootDir: top } },
    rules: templates
  }),
  { files: ['cdk/test/**/*.ts'], rules: cdkTests }
];
