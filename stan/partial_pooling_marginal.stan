// Partial pooling with the group effects integrated out: y_j ~ normal(X_j beta, sigma^2 I + Z_j Sigma Z_j').
// Every row enters through its group's cross-products only, so an evaluation costs O(J) whatever N is,
// and there is no funnel: the posterior has p + q + q (q - 1) / 2 + 1 dimensions however many groups.
// The outcome is centred and in units of its standard deviation, predictors are centre-scaled.
functions {
  // sum over groups of log|A_j| and of s_j' A_j^-1 s_j,
  // with A_j = sigma^2 I + T' Z_j'Z_j T and s_j = T' Z_j' (y_j - X_j beta)
  vector log_det_and_form(matrix T, real sigma, array[] matrix ztz, matrix ztr) {
    int q = cols(T);
    int J = rows(ztr);
    real v = square(sigma);
    if (q == 1) {
      vector[J] a = v + square(T[1, 1]) * col(ztz[1], 1);
      vector[J] s = T[1, 1] * col(ztr, 1);
      return [sum(log(a)), sum(square(s) ./ a)]';
    }
    if (q == 2) {
      vector[J] zz = T[1, 1] * col(ztz[1], 2) + T[2, 1] * col(ztz[2], 2);
      vector[J] a11 = v + square(T[1, 1]) * col(ztz[1], 1) + 2 * T[1, 1] * T[2, 1] * col(ztz[1], 2)
                      + square(T[2, 1]) * col(ztz[2], 2);
      vector[J] a21 = T[2, 2] * zz;
      vector[J] a22 = v + square(T[2, 2]) * col(ztz[2], 2);
      vector[J] s1 = T[1, 1] * col(ztr, 1) + T[2, 1] * col(ztr, 2);
      vector[J] s2 = T[2, 2] * col(ztr, 2);
      vector[J] det = a11 .* a22 - square(a21);
      return [sum(log(det)),
              sum((a22 .* square(s1) - 2 * a21 .* s1 .* s2 + a11 .* square(s2)) ./ det)]';
    }
    vector[2] total = rep_vector(0, 2);
    for (j in 1 : J) {
      matrix[q, q] zz;
      for (k in 1 : q) {
        zz[k] = ztz[k][j];
      }
      matrix[q, q] L = cholesky_decompose(add_diag(quad_form_sym(zz, T), v));
      vector[q] half = mdivide_left_tri_low(L, T' * ztr[j]');
      total[1] += 2 * sum(log(diagonal(L)));
      total[2] += dot_self(half);
    }
    return total;
  }
}
data {
  int<lower=1> N;                       // rows
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  matrix[p, p] xtx;                     // X'X over all rows
  vector[p] beta_complete;              // complete-pooling estimate
  real<lower=0> rss_complete;           // and its residual sum of squares
  array[q] matrix[J, q] ztz;            // ztz[k][j] is row k of Z_j'Z_j
  array[q] matrix[J, p] ztx;            // ztx[k][j] is row k of Z_j'X_j
  matrix[J, q] zty;                     // row j is Z_j'y_j
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> sigma_mean;             // mean of the exponential prior
  real<lower=0> lkj;
  vector[p] beta_center;                // about where the posterior lies, and how wide it is:
  matrix[p, p] beta_factor;             // the sampler moves in these units
  vector<lower=0>[q] sigma_group_unit;
  real<lower=0> sigma_unit;
}
parameters {
  vector[p] beta_in_units;
  vector<lower=0>[q] sigma_group_in_units;
  cholesky_factor_corr[q] L_group;      // factor of the varying effects' correlation
  real<lower=0> sigma_in_units;
}
transformed parameters {
  vector[p] beta = beta_center + beta_factor * beta_in_units;            // fixed effects
  vector[q] sigma_group = sigma_group_unit .* sigma_group_in_units;      // SDs of the varying effects
  real sigma = sigma_unit * sigma_in_units;                              // residual SD
}
model {
  matrix[q, q] T = diag_pre_multiply(sigma_group, L_group);
  matrix[J, q] ztr;                     // row j is Z_j' (y_j - X_j beta)
  for (k in 1 : q) {
    ztr[ : , k] = col(zty, k) - ztx[k] * beta;
  }
  vector[2] groups = log_det_and_form(T, sigma, ztz, ztr);
  real rtr = rss_complete + quad_form_sym(xtx, beta - beta_complete);

  beta ~ normal(beta_mean, beta_sd);
  sigma_group ~ normal(0, sigma_group_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  sigma ~ exponential(1 / sigma_mean);
  target += -(N - J * q) * log(sigma) - 0.5 * groups[1] - 0.5 * (rtr - groups[2]) / square(sigma);
}
