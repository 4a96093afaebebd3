/**
 * Regions: short codes with a place on the globe. The number of a region is part of every address in it, so it never
 * changes: new regions are added at the end only. Codes are those of Fly.io, today's and yesterday's, so that a
 * fly.toml works as it stands.
 */

export interface Region {
  readonly code: string;
  readonly name: string;
  /** Place in the list, from 1; the 16 bits after the network's /48 in every address of the region. */
  readonly number: number;
  /** Degrees north and east. */
  readonly latitude: number;
  readonly longitude: number;
}

const places: readonly (readonly [code: string, name: string, latitude: number, longitude: number])[] = [
  ["ams", "Amsterdam, Netherlands", 52.37, 4.9],
  ["arn", "Stockholm, Sweden", 59.33, 18.06],
  ["bom", "Mumbai, India", 19.08, 72.88],
  ["cdg", "Paris, France", 48.86, 2.35],
  ["dfw", "Dallas, Texas (US)", 32.78, -96.8],
  ["ewr", "Secaucus, NJ (US)", 40.79, -74.06],
  ["fra", "Frankfurt, Germany", 50.11, 8.68],
  ["gru", "São Paulo, Brazil", -23.55, -46.63],
  ["iad", "Ashburn, Virginia (US)", 39.04, -77.49],
  ["jnb", "Johannesburg, South Africa", -26.2, 28.05],
  ["lax", "Los Angeles, California (US)", 34.05, -118.24],
  ["lhr", "London, United Kingdom", 51.51, -0.13],
  ["nrt", "Tokyo, Japan", 35.68, 139.69],
  ["ord", "Chicago, Illinois (US)", 41.88, -87.63],
  ["sin", "Singapore", 1.35, 103.82],
  ["sjc", "San Jose, California (US)", 37.34, -121.89],
  ["syd", "Sydney, Australia", -33.87, 151.21],
  ["yyz", "Toronto, Canada", 43.65, -79.38],
  ["atl", "Atlanta, Georgia (US)", 33.75, -84.39],
  ["bog", "Bogotá, Colombia", 4.71, -74.07],
  ["bos", "Boston, Massachusetts (US)", 42.36, -71.06],
  ["den", "Denver, Colorado (US)", 39.74, -104.99],
  ["eze", "Ezeiza, Argentina", -34.85, -58.52],
  ["gdl", "Guadalajara, Mexico", 20.67, -103.35],
  ["gig", "Rio de Janeiro, Brazil", -22.91, -43.17],
  ["hkg", "Hong Kong", 22.32, 114.17],
  ["mad", "Madrid, Spain", 40.42, -3.7],
  ["mia", "Miami, Florida (US)", 25.76, -80.19],
  ["otp", "Bucharest, Romania", 44.43, 26.1],
  ["phx", "Phoenix, Arizona (US)", 33.45, -112.07],
  ["qro", "Querétaro, Mexico", 20.59, -100.39],
  ["scl", "Santiago, Chile", -33.45, -70.67],
  ["sea", "Seattle, Washington (US)", 47.61, -122.33],
  ["waw", "Warsaw, Poland", 52.23, 21.01],
  ["yul", "Montreal, Canada", 45.5, -73.57],
];

export const regions: readonly Region[] = places.map(([code, name, latitude, longitude], index) => ({
  code,
  name,
  number: index + 1,
  latitude,
  longitude,
}));

const byCode = new Map(regions.map((region) => [region.code, region]));
const byNumber = new Map(regions.map((region) => [region.number, region]));

export const findRegion = (code: string): Region | undefined => byCode.get(code);
export const regionOfNumber = (number: number): Region | undefined => byNumber.get(number);

/** Great-circle distance in kilometres. */
export function distance(a: Region, b: Region): number {
  const rad = (degrees: number) => (degrees * Math.PI) / 180;
  const dLat = rad(b.latitude - a.latitude);
  const dLon = rad(b.longitude - a.longitude);
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(rad(a.latitude)) * Math.cos(rad(b.latitude)) * Math.sin(dLon / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.sqrt(h));
}

/**
 * The known codes that differ from a mistyped one by one letter, or whose place is called so ("paris", "new jersey"):
 * for "did you mean".
 */
export function similarRegions(code: string): string[] {
  const typed = code.slice(0, 20);
  const differs = (other: string) =>
    Array.from({ length: Math.max(other.length, typed.length) }).filter((_, i) => other[i] !== typed[i]).length;
  const called = plainLetters(typed);
  const isPlace = (name: string) => called.length > 3 && plainLetters(name).includes(called);
  return regions.filter((region) => differs(region.code) <= 1 || isPlace(region.name)).map((region) => region.code);
}

/** "São Paulo" → "saopaulo" */
const plainLetters = (text: string): string =>
  text
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^a-z]/g, "");
