/**
 * Reads JSON from outside field by field.
 *
 * Knows nothing of any format: a [`Fields`] hands out members that have the wanted type and range
 * and throws [`Malformed`] for the rest. Members nobody asks for are ignored, as docs/format says.
 */

/** Thrown where a document is not of its format. */
export class Malformed extends Error {}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** One JSON object. */
export class Fields {
  private constructor(
    private readonly members: Readonly<Record<string, unknown>>,
    private readonly where: string,
  ) {}

  /** Parses UTF-8 JSON whose top level is an object; `where` names it in errors. */
  static parse(bytes: Uint8Array, where: string): Fields {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return Fields.of(JSON.parse(text), where);
    } catch (cause) {
      throw cause instanceof Malformed ? cause : new Malformed(`${where} is not JSON`, { cause });
    }
  }

  static of(value: unknown, where: string): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Malformed(`${where} is not an object`);
    }
    return new Fields(value as Record<string, unknown>, where);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.members, name) && this.members[name] !== null;
  }

  text(name: string, maxCharacters: number, pattern?: RegExp): string {
    const value = this.member(name);
    if (typeof value !== 'string' || value.length > maxCharacters) return this.refuse(name);
    return pattern === undefined || pattern.test(value) ? value : this.refuse(name);
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    return allowed.find((value) => value === this.member(name)) ?? this.refuse(name);
  }

  integer(name: string, min: number, max: number): number {
    return asInteger(this.member(name), min, max) ?? this.refuse(name);
  }

  /** A finite number that is above 0 and at most `max`. */
  positive(name: string, max: number): number {
    const value = this.member(name);
    return typeof value === 'number' && value > 0 && value <= max ? value : this.refuse(name);
  }

  flag(name: string): boolean {
    const value = this.member(name);
    return typeof value === 'boolean' ? value : this.refuse(name);
  }

  /** A time of whole seconds in UTC, as milliseconds since 1970. */
  time(name: string): number {
    const milliseconds = Date.parse(this.text(name, 20, TIME));
    return Number.isNaN(milliseconds) ? this.refuse(name) : milliseconds;
  }

  fields(name: string): Fields {
    return Fields.of(this.member(name), `${this.where}.${name}`);
  }

  list<T>(name: string, maxItems: number, read: (item: unknown, where: string) => T): T[] {
    const value = this.member(name);
    if (!Array.isArray(value) || value.length > maxItems) return this.refuse(name);
    return value.map((item, index) => read(item, `${this.where}.${name}[${index}]`));
  }

  /** Refuses a version that this reader doesn't know. */
  version(known: number): void {
    this.integer('v', known, known);
  }

  refuse(name: string): never {
    throw new Malformed(`${this.where}.${name} is missing or not as its format says`);
  }

  private member(name: string): unknown {
    return Object.hasOwn(this.members, name) ? this.members[name] : undefined;
  }
}

/** Returns `value` where it is an integer between `min` and `max`. */
export function asInteger(value: unknown, min: number, max: number): number | undefined {
  const fits = Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  return fits ? (value as number) : undefined;
}
