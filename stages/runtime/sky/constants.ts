/** Speed of light in vacuum, m/s (exact, SI). */
export const SPEED_OF_LIGHT_M_S = 299792458

/** One arcsecond in radians. */
export const ARCSEC_RAD = Math.PI / 648000

/** One degree in radians. */
export const DEGREE_RAD = Math.PI / 180

/** Seconds in a day of UTC without a leap second. */
export const DAY_S = 86400

/** Ratio of sidereal to solar rate, d(ERA)/d(UT1) in turns a day to 11 digits (Capitaine, Guinot & McCarthy 2000). */
export const SIDEREAL_RATE = 1.00273790935

/** Diameter of a DSA-110 dish, m. */
export const DISH_DIAMETER_M = 4.65

/** System equivalent flux density of one antenna, Jy: the operational number of the telescope's own software. */
export const SEFD_JY = 6500

/** Array centre of the DSA-110 at the Owens Valley Radio Observatory, WGS84 geodetic. */
export const DSA110_SITE = { latitudeDeg: 37.2334051, longitudeDeg: -118.283, altitudeM: 1188.0519 } as const

/** Raw samples averaged into one integration. */
export const SAMPLES_PER_INTEGRATION = 96

/** One integration, s: 96 raw samples of 2^27 ns. */
export const INTEGRATION_S = 12.884901888

/** Upper edge of the raw band, Hz; raw channels are numbered downwards from it. */
export const BAND_TOP_HZ = 1530e6

/** Width of a raw channel, Hz: 250 MHz over 8192. */
export const RAW_CHANNEL_HZ = 250e6 / 8192

/** Width of a channel of the files, Hz: eight raw channels. */
export const CHANNEL_WIDTH_HZ = 8 * RAW_CHANNEL_HZ

/** Channels in one subband. */
export const CHANNELS_PER_SUBBAND = 48
