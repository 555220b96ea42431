/** Local time in the form of ctime(3): `Fri Nov  7 07:34:43 2026`. */
export function ctime(time: Date): string {
  const [day, month, date, year] = time
    .toDateString()
    .split(' ')
    .toSpliced(2, 1, String(time.getDate()).padStart(2))
  return `${day} ${month} ${date} ${time.toTimeString().slice(0, 8)} ${year}`
}
