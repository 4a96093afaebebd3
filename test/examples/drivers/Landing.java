import java.sql.DriverManager;

/** pgJDBC connects to the hosts and options of its argument, and says where it has arrived. */
public class Landing {
  public static void main(String[] args) throws Exception {
    var url = "jdbc:postgresql://" + args[0];
    try (var connection = DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
      var query = "SELECT json_build_object('replica', pg_is_in_recovery()::text, 'address', host(inet_server_addr()))";
      var row = connection.createStatement().executeQuery(query);
      row.next();
      System.out.println(row.getString(1));
    }
  }
}
