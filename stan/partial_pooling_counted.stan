// Partial pooling of a counted outcome: events out of trials (logit link), or counts over an exposure (log link), and of
// rows that vary more than that: beta-binomial events, negative binomial counts. Rows of one group with equal
// predictors enter as one cell, their sums; overdispersed rows cannot be added up, and a cell is then one row.
// Unlike normal rows, counted ones leave no closed form for the group effects, so these are parameters; predictors are
// centre-scaled. Where the log likelihood is quadratic there is one: it says where the group effects lie given the fixed
// effects and the group SDs, and the fixed effects given the group SDs, and how wide. The sampler moves in these units.
// They are of a quadratic about a fit, and leave of the funnels of centred and non-centred effects only what it misses.
data {
  int<lower=0, upper=1> is_binomial;    // else counts
  int<lower=0, upper=1> is_overdispersed;
  int<lower=1> C;                       // cells
  int<lower=1> J;                       // groups
  int<lower=1> p;                       // fixed effects, intercept first
  int<lower=1, upper=p> q;              // varying effects
  array[C] int<lower=1, upper=J> group;
  matrix[C, p] X;                       // first column 1
  matrix[C, q] Z;                       // the columns of X whose effect varies
  array[C] int<lower=0> events;         // or counts
  array[C] int<lower=1> trials;         // 1 of counts
  vector[C] log_exposure;               // 0 of events
  vector[p] beta_mean;                  // prior means and SDs of the fixed effects, on the link's scale
  vector<lower=0>[p] beta_sd;
  vector<lower=0>[q] sigma_group_sd;    // half-normal scales
  real<lower=0> lkj;
  real<lower=0> dispersion_sd;          // half-normal scale
  // About the log likelihood of group j is r'u - u'A u / 2 in its effects u, and r = slope - slope_x beta:
  array[q] matrix[J, q] curvature;      // curvature[k][j] is row k of A
  array[q] matrix[J, p + 1] slope;      // slope[k][j] is row k of the group's slope_x, then of its slope
  matrix[p, p] precision;               // about the posterior of beta without group effects is
  vector[p] moment;                     // normal(precision^-1 moment, precision^-1)
}
parameters {
  vector[p] beta_in_units;
  vector<lower=0, upper=1>[q] beyond_sigma_group;  // prior probability of a larger SD: no tail of its logit is steep
  cholesky_factor_corr[q] L_group;      // factor of the varying effects' correlation
  matrix[J, q] u_in_units;
  // Variance m + dispersion m^2 of a count; beta(p, 1 - p) / dispersion of trials. Below the bound nothing changes, and
  // the density of beta-binomial events is lost to rounding.
  vector<lower=1e-10>[is_overdispersed] dispersion;
}
transformed parameters {
  vector[q] sigma_group = -sigma_group_sd .* inv_Phi(0.5 * beyond_sigma_group);  // SDs of the varying effects
  vector[p] beta;                       // fixed effects
  matrix[J, q] u;                       // group effects
  real log_density = 0;                 // of the group effects, times the Jacobian of these and beta
  {
    // With u = T e and K K' = I + T'A T in each group, e is about normal(K^-T K^-1 T'r, K^-T K^-1).
    matrix[q, q] T = diag_pre_multiply(sigma_group, L_group);
    matrix[J, q] e;
    array[q, q] vector[J] K;            // lower
    array[q] matrix[J, p + 1] said;     // said[k][j] is row k of K^-1 T' slope_j
    matrix[p + 1, p + 1] known = rep_matrix(0, p + 1, p + 1);  // to groups about beta
    for (k in 1 : q) {
      said[k] = T[k, k] * slope[k];
      for (i in (k + 1) : q) {
        said[k] += T[i, k] * slope[i];
      }
      for (l in 1 : k) {
        K[k, l] = rep_vector(k == l, J);
        for (i in k : q) {
          K[k, l] += T[i, k] * (curvature[i][ : , l : q] * T[l : q, l]);
        }
        for (i in 1 : (l - 1)) {
          K[k, l] -= K[k, i] .* K[l, i];
        }
        K[k, l] = k == l ? sqrt(K[k, k]) : K[k, l] ./ K[l, l];
      }
      for (i in 1 : (k - 1)) {
        said[k] -= diag_pre_multiply(K[k, i], said[i]);
      }
      said[k] = diag_pre_multiply(inv(K[k, k]), said[k]);
      known += crossprod(said[k]);
      log_density -= sum(log(K[k, k]));
    }
    matrix[p, p] root = cholesky_decompose(precision - known[1 : p, 1 : p]);
    vector[p] at = mdivide_left_tri_low(root, moment - known[1 : p, p + 1]);
    beta = mdivide_right_tri_low((at + beta_in_units)', root)';
    log_density -= sum(log(diagonal(root)));
    for (i in 1 : q) {
      int k = q - i + 1;
      e[ : , k] = said[k] * append_row(-beta, 1) + u_in_units[ : , k];
      for (l in (k + 1) : q) {
        e[ : , k] -= K[l, k] .* e[ : , l];
      }
      e[ : , k] ./= K[k, k];
    }
    log_density += std_normal_lpdf(to_vector(e));
    u = e * T';
  }
}
model {
  vector[C] eta = log_exposure + X * beta + rows_dot_product(Z, u[group]);
  beta ~ normal(beta_mean, beta_sd);
  L_group ~ lkj_corr_cholesky(lkj);
  target += log_density;
  dispersion ~ normal(0, dispersion_sd);
  if (is_overdispersed && is_binomial) {
    events ~ beta_binomial(trials, inv_logit(eta) / dispersion[1], inv_logit(-eta) / dispersion[1]);
  } else if (is_overdispersed) {
    events ~ neg_binomial_2_log(eta, inv(dispersion[1]));
  } else if (is_binomial) {
    events ~ binomial_logit(trials, eta);
  } else {
    events ~ poisson_log(eta);
  }
}
