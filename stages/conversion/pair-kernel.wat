;; The inner loop of conversion for two correlations (kernel.ts says what it computes and is its oracle): one band of rows
;; and one chunk of channels, two channels at a time. Every operation is that of kernel.ts, so that both give the same
;; bits. Phases are float64, those of two channels side by side; data are float32, both correlations of a channel in one
;; vector [re, im, re, im].
(module
  (import "kernel" "memory" (memory 1))

  ;; A channel that may hold unusable samples, usable being 0 < |V|^2 < largest (false for NaN): those that are not become
  ;; 0 and are marked. Returns their number.
  (func $careful (param $v v128) (param $out v128) (param $to i32) (param $flag i32) (param $largest f64) (result i32)
    (local $x v128) (local $y v128) (local $usable v128) (local $found i32)
    (local.set $x (f64x2.promote_low_f32x4 (local.get $v)))
    (local.set $y (f64x2.promote_low_f32x4
      (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $v) (local.get $v))))
    (local.set $x (f64x2.mul (local.get $x) (local.get $x)))
    (local.set $y (f64x2.mul (local.get $y) (local.get $y)))
    ;; |V|^2, one lane a correlation.
    (local.set $x (f64x2.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $x) (local.get $y))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $x) (local.get $y))))
    (local.set $usable (v128.and
      (f64x2.gt (local.get $x) (v128.const f64x2 0 0))
      (f64x2.lt (local.get $x) (f64x2.splat (local.get $largest)))))
    (v128.store (local.get $to) (v128.and (local.get $out) (local.get $usable)))
    (if (i64.eqz (i64x2.extract_lane 0 (local.get $usable)))
      (then
        (i32.store8 (local.get $flag) (i32.const 1))
        (local.set $found (i32.const 1))))
    (if (i64.eqz (i64x2.extract_lane 1 (local.get $usable)))
      (then
        (i32.store8 offset=1 (local.get $flag) (i32.const 1))
        (local.set $found (i32.add (local.get $found) (i32.const 1)))))
    (local.get $found))

  (func (export "convert")
    ;; Input: byte address of the first sample in output order; bytes to the second correlation, to the next channel, to
    ;; the next row.
    (param $from i32) (param $second i32) (param $next i32) (param $nextRow i32)
    (param $rows i32) (param $channelPairs i32)
    ;; Output: pairs of visibilities and of flag bytes; bytes from row to row of both.
    (param $data i32) (param $dataRow i32) (param $bad i32) (param $badRow i32)
    ;; One a row: sign bit of the imaginary part (4 bytes); phases of the next two channels [re, re, im, im] (32 bytes);
    ;; by what a phase turns in two channels [re, im] (16 bytes); count of unusable samples (4 bytes). Phases and count
    ;; are carried on.
    (param $sign i32) (param $phase i32) (param $step i32) (param $count i32)
    ;; Squares of amplitudes from here on are unusable.
    (param $largest f64)

    (local $row i32) (local $pair i32) (local $a i32) (local $b i32) (local $to i32) (local $flag i32) (local $found i32)
    (local $bit v128) (local $signRe v128) (local $signIm v128) (local $minusZero v128)
    (local $re v128) (local $im v128) (local $stepRe v128) (local $stepIm v128) (local $turned v128)
    (local $v v128) (local $w v128) (local $re32 v128) (local $im32 v128) (local $size v128) (local $size2 v128)
    (local $outV v128) (local $outW v128)

    (local.set $minusZero (v128.const i32x4 0x80000000 0 0x80000000 0))
    (block $done
      (loop $eachRow
        (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
        ;; For V = [x, s y]: V * p = [x, y] * [re, s re] + [y, x] * [-s im, im], exactly, as s is 1 or -1.
        (local.set $bit (i32x4.splat (i32.load (local.get $sign))))
        (local.set $signRe (v128.and (local.get $bit) (v128.const i32x4 0 -1 0 -1)))
        (local.set $signIm (v128.xor (local.get $minusZero) (v128.and (local.get $bit) (v128.const i32x4 -1 0 -1 0))))
        (local.set $re (v128.load (local.get $phase)))
        (local.set $im (v128.load offset=16 (local.get $phase)))
        (local.set $stepRe (v128.load64_splat (local.get $step)))
        (local.set $stepIm (v128.load64_splat offset=8 (local.get $step)))
        (local.set $a (local.get $from))
        (local.set $to (local.get $data))
        (local.set $flag (local.get $bad))
        (local.set $found (i32.const 0))
        (local.set $pair (local.get $channelPairs))
        (loop $eachPair
          (local.set $b (i32.add (local.get $a) (local.get $second)))
          (local.set $v (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
          (local.set $a (i32.add (local.get $a) (local.get $next)))
          (local.set $b (i32.add (local.get $b) (local.get $next)))
          (local.set $w (v128.load64_lane 1 (local.get $b) (v128.load64_zero (local.get $a))))
          (local.set $a (i32.add (local.get $a) (local.get $next)))
          (local.set $re32 (f32x4.demote_f64x2_zero (local.get $re)))
          (local.set $im32 (f32x4.demote_f64x2_zero (local.get $im)))
          ;; V * p. Adding [-0, 0] turns an imaginary part of -0 into 0 and changes no other value.
          (local.set $outV (f32x4.add (local.get $minusZero) (f32x4.add
            (f32x4.mul (local.get $v) (v128.xor (local.get $signRe)
              (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 (local.get $re32) (local.get $re32))))
            (f32x4.mul
              (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $v) (local.get $v))
              (v128.xor (local.get $signIm)
                (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 (local.get $im32) (local.get $im32)))))))
          (local.set $outW (f32x4.add (local.get $minusZero) (f32x4.add
            (f32x4.mul (local.get $w) (v128.xor (local.get $signRe)
              (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $re32) (local.get $re32))))
            (f32x4.mul
              (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $w) (local.get $w))
              (v128.xor (local.get $signIm)
                (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $im32) (local.get $im32)))))))
          ;; Nearly always all parts are below 2^126 and no sample is 0 + 0i: then all are surely usable. Without their
          ;; sign, float32 are ordered as integers.
          (local.set $size (f32x4.abs (local.get $v)))
          (local.set $size2 (f32x4.abs (local.get $w)))
          (if (v128.any_true (v128.or
                (i32x4.ge_s
                  (i32x4.max_s (local.get $size) (local.get $size2))
                  (v128.const i32x4 0x7e800000 0x7e800000 0x7e800000 0x7e800000))
                (v128.or
                  (i64x2.eq (local.get $size) (v128.const i64x2 0 0))
                  (i64x2.eq (local.get $size2) (v128.const i64x2 0 0)))))
            (then
              (local.set $found (i32.add (local.get $found) (i32.add
                (call $careful (local.get $v) (local.get $outV) (local.get $to) (local.get $flag) (local.get $largest))
                (call $careful (local.get $w) (local.get $outW)
                  (i32.add (local.get $to) (i32.const 16)) (i32.add (local.get $flag) (i32.const 2))
                  (local.get $largest))))))
            (else
              (v128.store (local.get $to) (local.get $outV))
              (v128.store offset=16 (local.get $to) (local.get $outW))))
          (local.set $turned (f64x2.sub
            (f64x2.mul (local.get $re) (local.get $stepRe))
            (f64x2.mul (local.get $im) (local.get $stepIm))))
          (local.set $im (f64x2.add
            (f64x2.mul (local.get $re) (local.get $stepIm))
            (f64x2.mul (local.get $im) (local.get $stepRe))))
          (local.set $re (local.get $turned))
          (local.set $to (i32.add (local.get $to) (i32.const 32)))
          (local.set $flag (i32.add (local.get $flag) (i32.const 4)))
          (local.set $pair (i32.sub (local.get $pair) (i32.const 1)))
          (br_if $eachPair (local.get $pair)))
        (v128.store (local.get $phase) (local.get $re))
        (v128.store offset=16 (local.get $phase) (local.get $im))
        (i32.store (local.get $count) (i32.add (i32.load (local.get $count)) (local.get $found)))
        (local.set $from (i32.add (local.get $from) (local.get $nextRow)))
        (local.set $data (i32.add (local.get $data) (local.get $dataRow)))
        (local.set $bad (i32.add (local.get $bad) (local.get $badRow)))
        (local.set $sign (i32.add (local.get $sign) (i32.const 4)))
        (local.set $phase (i32.add (local.get $phase) (i32.const 32)))
        (local.set $step (i32.add (local.get $step) (i32.const 16)))
        (local.set $count (i32.add (local.get $count) (i32.const 4)))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $eachRow))))
)
