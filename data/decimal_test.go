package data_test

import (
	"encoding/hex"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/streamlane/connect/data"
)

func mustDecimal(t testing.TB, text string) data.Decimal {
	t.Helper()
	d, err := data.ParseDecimal(text)
	require.NoError(t, err)
	return d
}

// TestDecimalText pins BigDecimal's texts: what is read, toString, toPlainString, scale.
func TestDecimalText(t *testing.T) {
	for _, c := range []struct {
		in, text, plain string
		scale           int32
	}{
		{"0", "0", "0", 0},
		{"-0", "0", "0", 0},
		{"+12.30", "12.30", "12.30", 2},
		{"-0.00", "0.00", "0.00", 2},
		{".5", "0.5", "0.5", 1},
		{"5.", "5", "5", 0},
		{"0.000001", "0.000001", "0.000001", 6},
		{"0.0000001", "1E-7", "0.0000001", 7},
		{"-0.00000012", "-1.2E-7", "-0.00000012", 8},
		{"0E-7", "0E-7", "0.0000000", 7},
		{"5E+2", "5E+2", "500", -2},
		{"5e2", "5E+2", "500", -2},
		{"123e1", "1.23E+3", "1230", -1},
		{"1.5e3", "1.5E+3", "1500", -2},
		{"1.5e1", "15", "15", 0},
		{"0e3", "0E+3", "0", -3},
		{"1e-2147483647", "1E-2147483647", "", math.MaxInt32},
		{"1e2147483647", "1E+2147483647", "", -math.MaxInt32},
		{"99999999999999999999.99", "99999999999999999999.99", "99999999999999999999.99", 2},
		{"１２.５", "12.5", "12.5", 1},
		{"٣", "3", "3", 0},
	} {
		t.Run(c.in, func(t *testing.T) {
			d := mustDecimal(t, c.in)
			assert.Equal(t, c.text, d.String())
			assert.Equal(t, c.scale, d.Scale())
			if c.plain != "" {
				assert.Equal(t, c.plain, d.Plain())
				assert.InDelta(t, len(c.plain), d.PlainLen(), 8)
			} else {
				assert.Greater(t, d.PlainLen(), int64(math.MaxInt32))
			}
			again := mustDecimal(t, d.String())
			assert.True(t, data.Equal(data.DecimalOf(d), data.DecimalOf(again)), "%s", again)
		})
	}
}

// TestLongDecimals reads more digits than are read in one go.
func TestLongDecimals(t *testing.T) {
	g := newGenerator(5)
	for _, n := range []int{1999, 2000, 2001, 4001, 50_000} {
		digits := make([]byte, n)
		for i := range digits {
			digits[i] = byte('0' + g.IntN(10))
		}
		digits[0], digits[n/2] = '7', '0'
		d := mustDecimal(t, "-"+string(digits)+".25")
		assert.Equal(t, "-"+string(digits)+".25", d.String())
		assert.Equal(t, n+2, d.Precision())
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, text := range []string{
		"", "-", "+", ".", "-.", "e1", ".e1", "1e", "1e+", "1e-", "1e1.5", "1 ", " 1", "1..2", "1.2.3", "--1", "0x1F", "1L", "NaN", "∞",
		"1e2147483649", "1e-2147483648", "1e99999999999999999999", "1_000", "𝟏", "1e1e1",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := data.ParseDecimal(text)
			var e *data.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, data.ReasonData, e.Reason)
		})
	}
	_, err := data.ParseDecimal(strings.Repeat("x", 10_000))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 400, "an error does not repeat all of a long text")
}

func TestDecimalCompare(t *testing.T) {
	ascending := []string{"-1e2147483647", "-2", "-1.5", "-1e-2147483647", "0", "1e-2147483647", "0.1", "1.5", "15e-1", "2", "1e2147483647"}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if (a == "1.5" || a == "15e-1") && (b == "1.5" || b == "15e-1") {
				want = 0
			}
			assert.Equal(t, want, mustDecimal(t, a).Cmp(mustDecimal(t, b)), "%s and %s", a, b)
		}
	}
	assert.Zero(t, mustDecimal(t, "1.50").Cmp(mustDecimal(t, "1.5")))
	assert.Zero(t, mustDecimal(t, "1e3").Cmp(mustDecimal(t, "1000.0")))
	assert.Zero(t, mustDecimal(t, "0.00").Cmp(data.Decimal{}))
}

// TestDecimalOrder holds the order against that of exact fractions.
func TestDecimalOrder(t *testing.T) {
	g := newGenerator(3)
	random := func() (data.Decimal, *big.Rat) {
		n, scale := int64(g.IntN(4001)-2000), int32(g.IntN(13)-6)
		power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, -scale))), nil))
		if scale > 0 {
			power.Inv(power)
		}
		return data.DecimalFromInt64(n, scale), power.Mul(power, new(big.Rat).SetInt64(n))
	}
	for range 20_000 {
		a, x := random()
		b, y := random()
		require.Equal(t, x.Cmp(y), a.Cmp(b), "%s and %s", a, b)
		require.Equal(t, -a.Cmp(b), b.Cmp(a))
		if c, err := a.Rescale(b.Scale()); err == nil {
			require.Zero(t, a.Cmp(c), "%s and %s", a, c)
		}
	}
}

// TestDecimalPrecision looks at both sides of each power of ten.
func TestDecimalPrecision(t *testing.T) {
	assert.Equal(t, 1, data.Decimal{}.Precision())
	for digits := 1; digits < 400; digits++ {
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
		below := new(big.Int).Sub(power, big.NewInt(1))
		assert.Equal(t, digits+1, data.NewDecimal(power, 0).Precision())
		assert.Equal(t, digits, data.NewDecimal(below.Neg(below), 5).Precision())
	}
}

func TestDecimalRescale(t *testing.T) {
	for _, c := range []struct {
		in    string
		scale int32
		want  string // "" for an error
	}{
		{"1.5", 3, "1.500"},
		{"1.500", 1, "1.5"},
		{"1.500", 0, ""},
		{"1500", -2, "1.5E+3"},
		{"1500", -3, ""},
		{"1500", -9, ""},
		{"0", 7, "0E-7"},
		{"0.000", math.MinInt32, "0E+2147483648"},
		{"-1.5", 1, "-1.5"},
		{"1", math.MaxInt32, ""},
		{"1", math.MinInt32, ""},
	} {
		got, err := mustDecimal(t, c.in).Rescale(c.scale)
		if c.want == "" {
			require.Error(t, err, "%s to %d", c.in, c.scale)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.want, got.String())
		assert.Equal(t, c.scale, got.Scale())
	}
}

func TestDecimalNumbers(t *testing.T) {
	for _, c := range []struct {
		in        string
		exact     bool
		n         int64 // exact, or BigDecimal.longValue
		f64       float64
		f32       float32
		precision int
	}{
		{"1.00", true, 1, 1, 1, 3},
		{"1e2", true, 100, 100, 100, 1},
		{"-9223372036854775808", true, math.MinInt64, math.MinInt64, math.MinInt64, 19},
		{"9223372036854775808", false, math.MinInt64, 1 << 63, 1 << 63, 19},
		{"18446744073709551617", false, 1, 1 << 64, 1 << 64, 20},
		{"-18446744073709551617.9", false, -1, -(1 << 64), -(1 << 64), 21},
		{"1.9", false, 1, 1.9, 1.9, 2},
		{"-1.9", false, -1, -1.9, -1.9, 2},
		{"0.9", false, 0, 0.9, 0.9, 1},
		{"0.00", true, 0, 0, 0, 1},
		{"1e400", false, 0, math.Inf(1), float32(math.Inf(1)), 1},
		{"-1e39", false, -6873995514006732800, -1e39, float32(math.Inf(-1)), 1},
		{"1e-400", false, 0, 0, 0, 1},
		{"1e2147483647", false, 0, math.Inf(1), float32(math.Inf(1)), 1},
		{"1e-2147483647", false, 0, 0, 0, 1},
	} {
		t.Run(c.in, func(t *testing.T) {
			d := mustDecimal(t, c.in)
			n, exact := d.Int64()
			assert.Equal(t, c.exact, exact)
			if exact {
				assert.Equal(t, c.n, n)
			}
			assert.Equal(t, c.n, d.Truncated())
			assert.Equal(t, c.f64, d.Float64())
			assert.Equal(t, c.f32, d.Float32())
			assert.Equal(t, c.precision, d.Precision())
		})
	}
}

// TestUnscaledBytes pins BigInteger.toByteArray.
func TestUnscaledBytes(t *testing.T) {
	for text, want := range map[string]string{
		"1.56": "009c", "-1.56": "ff64", "0": "00", "1.27": "7f", "1.28": "0080", "-1.28": "80", "-1.29": "ff7f", "2.55": "00ff", "-2.56": "ff00",
		"-0.01": "ff", "327.67": "7fff", "327.68": "008000", "-327.68": "8000", "-327.69": "ff7fff",
	} {
		t.Run(text, func(t *testing.T) {
			d := mustDecimal(t, text)
			raw := d.AppendUnscaled([]byte("x"))[1:]
			assert.Equal(t, want, hex.EncodeToString(raw))
			again, err := data.DecimalFromUnscaled(raw, d.Scale())
			require.NoError(t, err)
			assert.Equal(t, d.String(), again.String())
			padded := append([]byte{0, 0}, raw...)
			if raw[0] >= 0x80 {
				padded[0], padded[1] = 0xff, 0xff
			}
			again, err = data.DecimalFromUnscaled(padded, d.Scale())
			require.NoError(t, err)
			assert.Equal(t, d.String(), again.String())
		})
	}
	_, err := data.DecimalFromUnscaled(nil, 0)
	require.Error(t, err)
}

func TestDecimalIsImmutable(t *testing.T) {
	n := big.NewInt(150)
	d := data.NewDecimal(n, 2)
	n.SetInt64(7)
	d.Unscaled().SetInt64(8)
	assert.Equal(t, "1.50", d.String())
	assert.Equal(t, "0.00", data.NewDecimal(nil, 2).String())
	assert.Equal(t, "-0.07", data.DecimalFromInt64(-7, 2).String())
	assert.Equal(t, -1, data.DecimalFromInt64(-7, 2).Sign())
}

// FuzzParseDecimal: whatever is read comes back from its text and from its bytes.
func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"0", "-1.50", "5E+2", "1e-2147483647", "１２", "1e", "99999999999999999999.99"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := data.ParseDecimal(text)
		if err != nil {
			return
		}
		if len(text) > 4096 {
			return
		}
		again, err := data.ParseDecimal(d.String())
		if err != nil || !data.Equal(data.DecimalOf(d), data.DecimalOf(again)) || d.Cmp(again) != 0 {
			t.Fatalf("%q is %s, which is %s, %v", text, d, again, err)
		}
		again, err = data.DecimalFromUnscaled(d.AppendUnscaled(nil), d.Scale())
		if err != nil || d.Cmp(again) != 0 {
			t.Fatalf("%q is %s, but %s from its bytes, %v", text, d, again, err)
		}
	})
}
