import java.util.Locale;
import org.joda.time.*;
import org.joda.time.format.*;

/**
 * Records what Joda-Time makes of patterns, time zones and schedules, as Confluent's partitioner by time and rotation by schedule use
 * it: java -cp joda-time-2.10.2.jar JodaVectors.java > joda.jsonl
 */
class JodaVectors {
    static String quoted(String s) {
        return "\"" + s.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    static final String[] ZONES = {
        "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "+05:45", "-03:30"
    };

    static final String[] PATTERNS = {
        "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "'dt'=yyyy-MM-dd", "YYYY", "YY", "yy", "Y", "y", "yyyyy", "C", "CC", "G", "GGGG", "x", "xx", "xxxx", "w", "ww",
        "e", "ee", "E", "EE", "EEE", "EEEE", "D", "DDD", "M", "MM", "MMM", "MMMM", "d", "dd", "a", "aa", "K", "KK", "h", "hh", "H", "HH", "k", "kk", "m",
        "mm", "s", "ss", "S", "SS", "SSS", "SSSS", "SSSSSS", "Z", "ZZ", "ZZZ", "'it''s' HH", "HH''mm", "''", "yyyy/MM/dd'T'HH:mm:ss.SSSZZ", "h 'o''clock' a", "d. MMMM YYYY, EEEE",
        "HH:mm", "YYYY-'W'ww-e", "xxxx-'W'ww", "yyyy_DDD", "\u00e4 HH", "[HH]", "HHHHH", "'a{b}'"
    };

    static final String[] WRONG = {"", "b", "'open", "YYYY/o", "yyyyMMddN", "j", "'a'b'", "f", "T"};

    static final long[] TIMES = {
        0L, 951_782_399_999L, 951_782_400_000L, 978_307_199_123L, 1_104_537_600_000L, 1_362_898_799_999L, 1_362_898_800_000L, 1_383_454_800_000L,
        1_383_458_400_000L, 1_383_462_000_000L, 1_541_300_399_000L, 1_541_300_400_000L, 1_541_302_200_000L, 1_518_919_200_000L, 1_518_915_600_000L, 1_540_688_400_000L,
        1_540_692_000_000L, 1_540_695_600_000L, 1_521_939_599_000L, 1_521_939_600_000L, 1_546_300_799_999L, 1_325_239_200_000L, 1_325_152_799_000L, 1_538_838_000_000L, 1_522_504_800_000L
    };

    static final long[] STEPS = {3_600_000L, 86_400_000L, 900_000L, 600_000L, 7 * 3_600_000L, 1L, 12 * 3_600_000L};

    public static void main(String[] args) {
        for (String p : PATTERNS) {
            for (int i = 0; i < TIMES.length; i += 6) {
                String z = ZONES[(i + p.length()) % ZONES.length];
                DateTimeFormatter f = DateTimeFormat.forPattern(p).withZone(DateTimeZone.forID(z)).withLocale(Locale.ENGLISH);
                System.out.println("{\"pattern\":" + quoted(p) + ",\"zone\":" + quoted(z) + ",\"ms\":" + TIMES[i] + ",\"text\":" + quoted(f.print(TIMES[i])) + "}");
            }
        }
        for (String p : WRONG) {
            try {
                DateTimeFormat.forPattern(p);
                System.out.println("{\"pattern\":" + quoted(p) + ",\"accepted\":true}");
            } catch (IllegalArgumentException e) {
                System.out.println("{\"pattern\":" + quoted(p) + ",\"error\":" + quoted(e.getMessage()) + "}");
            }
        }
        String full = "yyyy-MM-dd HH:mm:ss.SSS";
        for (String z : ZONES) {
            DateTimeZone zone = DateTimeZone.forID(z);
            DateTimeFormatter f = DateTimeFormat.forPattern(full).withZone(zone).withLocale(Locale.ENGLISH);
            for (int i = 0; i < TIMES.length; i++) {
                for (int j = i % 2; j < STEPS.length; j += 2) {
                    long step = STEPS[j];
                    long local = zone.convertUTCToLocal(TIMES[i]) / step * step;
                    long cut = zone.convertLocalToUTC(local, false);
                    System.out.println("{\"pattern\":" + quoted(full) + ",\"zone\":" + quoted(z) + ",\"duration\":" + step + ",\"ms\":" + TIMES[i] + ",\"text\":" + quoted(f.print(cut)) + "}");
                }
            }
        }
        for (String z : ZONES) {
            DateTimeZone zone = DateTimeZone.forID(z);
            for (int i = 0; i < TIMES.length; i++) {
                for (int j = i % 3; j < STEPS.length; j += 3) {
                    DateTime start = new DateTime(TIMES[i]).withZone(zone).withTimeAtStartOfDay();
                    long day = new Duration(start, start.plusDays(1)).getMillis();
                    long next = ((TIMES[i] - start.getMillis()) / STEPS[j] + 1) * STEPS[j];
                    System.out.println("{\"zone\":" + quoted(z) + ",\"schedule\":" + STEPS[j] + ",\"ms\":" + TIMES[i] + ",\"next\":" + (start.getMillis() + Math.min(next, day)) + "}");
                }
            }
        }
    }
}
