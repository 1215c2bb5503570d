import { expect, test } from "vitest";
import {
  createCommonForms,
  MAX_BASELINES,
  MAX_COMMON_FORM_BYTES,
  MAX_COMMON_FORMS,
  ToldBaselines,
} from "./baselines.ts";
import type { CommonForm } from "./baselines.ts";

function bytesOf(value: number, length = 4): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Forms that are all shared. */
function shared(count: number): CommonForm[] {
  const forms = createCommonForms();
  return Array.from({ length: count }, (_, i) => {
    forms.of(bytesOf(i));
    return forms.of(bytesOf(i));
  });
}

function reader() {
  const baselines = new ToldBaselines();
  const told: number[] = [];
  return {
    told,
    begin: () => baselines.begin(),
    numberOf: (form: CommonForm) => baselines.numberOf(form, (number) => told.push(number)),
  };
}

test("a form is shared from the second entity on, for the first as well", () => {
  const forms = createCommonForms();
  // Bytes that are no text of their own in any encoding but one.
  const first = forms.of(new Uint8Array([0x80, 0xff, 0x81, 0x00]));
  expect(first.share).toBe(0);
  expect(forms.of(new Uint8Array([0x80, 0xff, 0x8d, 0x00])).share).toBe(0);
  expect(forms.of(new Uint8Array([0x80, 0xff, 0x81, 0x00]))).toBe(first);
  const { share } = first;
  expect(share).toBeGreaterThan(0);
  forms.of(new Uint8Array([0x80, 0xff, 0x81, 0x00]));
  expect(first.share).toBe(share);
  const others = createCommonForms();
  others.of(bytesOf(1));
  expect(others.of(bytesOf(1)).share, "another table").toBeGreaterThan(share);
});

test("every byte counts", () => {
  const forms = createCommonForms();
  for (let byte = 0; byte < 256; byte++) {
    expect(forms.of(new Uint8Array([byte])).share, `${byte}`).toBe(0);
  }
});

test("long forms are not shared, and of the others only so many are remembered", () => {
  const forms = createCommonForms();
  const atLimit = new Uint8Array(MAX_COMMON_FORM_BYTES);
  const tooLong = new Uint8Array(MAX_COMMON_FORM_BYTES + 1);
  for (const bytes of [atLimit, tooLong]) forms.of(bytes);
  expect(forms.of(atLimit).share).toBeGreaterThan(0);
  expect(forms.of(tooLong).share).toBe(0);
  for (let i = 1; i < MAX_COMMON_FORMS; i++) forms.of(bytesOf(i));
  expect(forms.of(bytesOf(1)).share, "all are remembered").toBeGreaterThan(0);
  forms.of(bytesOf(MAX_COMMON_FORMS));
  expect(forms.of(bytesOf(1)).share, "all were forgotten").toBe(0);
});

test("a client is told a baseline once, and of one that nobody shares never", () => {
  const { told, begin, numberOf } = reader();
  const [one, other] = shared(2) as [CommonForm, CommonForm];
  begin();
  const number = numberOf(one);
  expect(number).toBeGreaterThan(0);
  expect(numberOf(one)).toBe(number);
  begin();
  expect(numberOf(one)).toBe(number);
  expect(told).toEqual([number]);
  expect(numberOf(other)).not.toBe(number);
  expect(numberOf({ bytes: bytesOf(9), share: 0 })).toBe(0);
  expect(told).toHaveLength(2);
});

test("so many have numbers at once; a number means one thing in a message", () => {
  const { told, begin, numberOf } = reader();
  const forms = shared(MAX_BASELINES + 1);
  const last = forms.pop() as CommonForm;
  begin();
  const numbers = forms.map((form) => numberOf(form));
  expect([...numbers].sort((a, b) => a - b)).toEqual(
    Array.from({ length: MAX_BASELINES }, (_, i) => i + 1),
  );
  expect(numberOf(last), "its number is taken in this message").toBe(0);
  begin();
  const number = numberOf(last);
  expect(number).toBe(numbers[0]);
  expect(numberOf(forms[0] as CommonForm)).toBe(0);
  begin();
  expect(numberOf(forms[0] as CommonForm)).toBe(number);
  expect(told.slice(MAX_BASELINES)).toEqual([number, number]);
});
