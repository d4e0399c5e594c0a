;; The inner loop of conversion for two correlations (kernel.ts says what it computes and is its oracle): one band of rows
;; and one chunk of channels. Every operation is that of kernel.ts in the same order, two float64 at a time, so that
;; both give the same bits. A complex number is one vector [re, im].
(module
  (import "kernel" "memory" (memory 1))

  (func (export "convert")
    ;; Input: byte address of the first sample in output order; bytes to the second correlation, to the next channel, to
    ;; the next row.
    (param $from i32) (param $second i32) (param $next i32) (param $nextRow i32)
    (param $rows i32) (param $channels i32)
    ;; Output: pairs of visibilities and of flag bytes; bytes from row to row of both.
    (param $data i32) (param $dataRow i32) (param $bad i32) (param $badRow i32)
    ;; One a row: [1, sign of the imaginary part], phase of the next channel, step of the phase (16 bytes each), count of
    ;; unusable samples (4 bytes). Phase and count are carried on.
    (param $sign i32) (param $phase i32) (param $step i32) (param $count i32)
    ;; Squares of amplitudes from here on are unusable.
    (param $largest f64)

    (local $row i32) (local $channel i32) (local $a i32) (local $to i32) (local $flag i32) (local $found i32)
    (local $signRe v128) (local $signIm v128) (local $p v128) (local $stepRe v128) (local $stepIm v128)
    (local $x v128) (local $y v128) (local $both v128) (local $re v128) (local $im v128)
    (local $xx v128) (local $yy v128) (local $square v128) (local $usable v128) (local $out v128)

    (block $done
      (loop $eachRow
        (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
        ;; For V = [x, s y]: V * p = [x, y] * [re, s re] + [y, x] * [-s im, im], exactly, as s is 1 or -1.
        (local.set $signRe (v128.load (local.get $sign)))
        (local.set $signIm (f64x2.mul (v128.const f64x2 -1 1)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $signRe) (local.get $signRe))))
        (local.set $p (v128.load (local.get $phase)))
        ;; The step as [re, re] and [-im, im]: p * step = p * [re, re] + [p.im, p.re] * [-im, im].
        (local.set $x (v128.load (local.get $step)))
        (local.set $stepRe (i8x16.shuffle 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x)))
        (local.set $stepIm (f64x2.mul (v128.const f64x2 -1 1)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $x) (local.get $x))))
        (local.set $a (local.get $from))
        (local.set $to (local.get $data))
        (local.set $flag (local.get $bad))
        (local.set $found (i32.const 0))
        (local.set $channel (local.get $channels))
        (loop $eachChannel
          (local.set $x (v128.load64_zero (local.get $a)))
          (local.set $y (v128.load64_zero (i32.add (local.get $a) (local.get $second))))
          (local.set $both (f32x4.abs
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $x) (local.get $y))))
          (local.set $x (f64x2.promote_low_f32x4 (local.get $x)))
          (local.set $y (f64x2.promote_low_f32x4 (local.get $y)))
          (local.set $re (f64x2.mul (local.get $signRe)
            (i8x16.shuffle 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 (local.get $p) (local.get $p))))
          (local.set $im (f64x2.mul (local.get $signIm)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $p) (local.get $p))))
          ;; V * p. Adding [-0, 0] turns an imaginary part of -0 into 0 and changes no other value.
          (local.set $xx (f64x2.add (v128.const f64x2 -0 0) (f64x2.add
            (f64x2.mul (local.get $x) (local.get $re))
            (f64x2.mul (local.get $im)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x) (local.get $x))))))
          (local.set $yy (f64x2.add (v128.const f64x2 -0 0) (f64x2.add
            (f64x2.mul (local.get $y) (local.get $re))
            (f64x2.mul (local.get $im)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $y) (local.get $y))))))
          (local.set $out (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
            (f32x4.demote_f64x2_zero (local.get $xx))
            (f32x4.demote_f64x2_zero (local.get $yy))))
          ;; Nearly always both parts of both are below 2^126 and neither is 0 + 0i: then both are surely usable.
          (if (i32.and
                (i64x2.all_true (local.get $both))
                (i32x4.all_true (f32x4.lt (local.get $both) (v128.const f32x4 0x1p126 0x1p126 0x1p126 0x1p126))))
            (then (v128.store (local.get $to) (local.get $out)))
            (else
              ;; Usable: 0 < |V|^2 < largest; false for NaN. One lane a correlation.
              (local.set $xx (f64x2.mul (local.get $x) (local.get $x)))
              (local.set $yy (f64x2.mul (local.get $y) (local.get $y)))
              (local.set $square (f64x2.add
                (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $xx) (local.get $yy))
                (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $xx) (local.get $yy))))
              (local.set $usable (v128.and
                (f64x2.gt (local.get $square) (v128.const f64x2 0 0))
                (f64x2.lt (local.get $square) (f64x2.splat (local.get $largest)))))
              (v128.store (local.get $to) (v128.and (local.get $out) (local.get $usable)))
              (if (i64.eqz (i64x2.extract_lane 0 (local.get $usable)))
                (then
                  (i32.store8 (local.get $flag) (i32.const 1))
                  (local.set $found (i32.add (local.get $found) (i32.const 1)))))
              (if (i64.eqz (i64x2.extract_lane 1 (local.get $usable)))
                (then
                  (i32.store8 offset=1 (local.get $flag) (i32.const 1))
                  (local.set $found (i32.add (local.get $found) (i32.const 1)))))))
          (local.set $p (f64x2.add
            (f64x2.mul (local.get $p) (local.get $stepRe))
            (f64x2.mul (local.get $stepIm)
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $p) (local.get $p)))))
          (local.set $a (i32.add (local.get $a) (local.get $next)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (local.set $flag (i32.add (local.get $flag) (i32.const 2)))
          (local.set $channel (i32.sub (local.get $channel) (i32.const 1)))
          (br_if $eachChannel (local.get $channel)))
        (v128.store (local.get $phase) (local.get $p))
        (i32.store (local.get $count) (i32.add (i32.load (local.get $count)) (local.get $found)))
        (local.set $from (i32.add (local.get $from) (local.get $nextRow)))
        (local.set $data (i32.add (local.get $data) (local.get $dataRow)))
        (local.set $bad (i32.add (local.get $bad) (local.get $badRow)))
        (local.set $sign (i32.add (local.get $sign) (i32.const 16)))
        (local.set $phase (i32.add (local.get $phase) (i32.const 16)))
        (local.set $step (i32.add (local.get $step) (i32.const 16)))
        (local.set $count (i32.add (local.get $count) (i32.const 4)))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $eachRow))))
)
